import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakeClock, createMemoryLog, type FakeClock, type MemoryLog } from 'boltbot/plugin-sdk/testing'
import { type OpenOptions, openSqliteStore } from '../../../core/store/open.ts'
import type { Store } from '../../../core/store/store.ts'

/** A store in a folder of its own, which goes with it. */
export interface SqliteRig extends AsyncDisposable {
  readonly store: Store
  readonly other: Store
  readonly file: string
  readonly directory: string
  readonly clock: FakeClock
  readonly log: MemoryLog
  reopen(): Promise<void>
}

export async function createSqliteRig(more: Partial<OpenOptions> = {}): Promise<SqliteRig> {
  const folder = await createFolder()
  const clock = createFakeClock()
  const log = createMemoryLog()
  const options = { file: join(folder.path, 'state.sqlite'), clock, log, ...more }
  let store = await openSqliteStore(options)
  return {
    get store() {
      return store
    },
    get other() {
      return store
    },
    file: options.file,
    directory: folder.path,
    clock,
    log,
    async reopen() {
      await store.close()
      store = await openSqliteStore(options)
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

export async function createFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'boltbot-store-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
