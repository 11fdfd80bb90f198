import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandId, type CommandResult, keyOf, type Stream } from '../wire/agent/messages.ts'
import { createSpoolLog, type SpoolLog, type SpoolPiece, type StoredLog } from './spool-log.ts'

/**
 * What a command has said, kept until the master has stored it all and says so: a folder per command below `spool/`, made when
 * there is something to put in. The end of each log is in memory, as most of it is on its way to the master at once.
 */
export interface CommandSpool {
  readonly logs: readonly string[]
  length(log: string): number
  /** A promise when so much waits to be written that the writer should wait too. */
  append(log: string, stream: Stream, data: Uint8Array): Promise<void> | undefined
  /** Bytes of one stream from `offset` on, at least one and at most `max`; `offset` must be before the end. */
  read(log: string, offset: number, max: number): SpoolPiece | Promise<SpoolPiece>
  /** Puts all on the disk, so that a restart of the agent finds the finished command. Does nothing the second time. */
  persist(result: CommandResult): Promise<void>
  remove(): Promise<void>
  /** Nothing is read or written any more; what is on the disk stays. */
  close(): Promise<void>
}

export interface SpoolDeps {
  /** The folder of all spools. */
  readonly directory: string
}

export interface Spool {
  /** `failed`: the output can no longer be kept; said once. What is in memory can still be read. */
  create(id: CommandId, failed: (reason: string) => void): CommandSpool
  /** The finished commands of an earlier run; what was not finished is removed. */
  load(): Promise<readonly FinishedCommand[]>
}

export interface FinishedCommand {
  readonly id: CommandId
  readonly result: CommandResult
  readonly spool: CommandSpool
}

interface Stored {
  readonly id: CommandId
  readonly result: CommandResult
  readonly logs: Readonly<Record<string, StoredLog>>
}

const RESULT = 'result.json'

export function createSpool({ directory }: SpoolDeps): Spool {
  function open(id: CommandId, failed: (reason: string) => void, stored?: Stored): CommandSpool {
    const folder = join(directory, keyOf(id))
    const logs = new Map<string, SpoolLog>()
    let persisted: Promise<void> | undefined = stored && Promise.resolve()
    let removed = false
    let made: Promise<unknown> | undefined
    const make = () => (made ??= mkdir(folder, { recursive: true, mode: 0o700 }))

    const logOf = (name: string): SpoolLog => {
      let log = logs.get(name)
      if (log === undefined) {
        const path = join(folder, `${logs.size}.log`)
        log = createSpoolLog({ path, ready: make, failed, stored: stored?.logs[name] })
        logs.set(name, log)
      }
      return log
    }
    for (const name of Object.keys(stored?.logs ?? {})) logOf(name)

    return {
      get logs() {
        return [...logs.keys()]
      },
      length: (name) => logs.get(name)?.length ?? 0,
      append: (name, stream, data) => logOf(name).append(stream, data),
      read: (name, offset, max) => logOf(name).read(offset, max),
      persist(result) {
        persisted ??= removed ? Promise.resolve() : persist(result)
        return persisted
      },
      async remove() {
        removed = true
        await persisted?.catch(() => {}) // told to who asked for it
        await close()
        if (made === undefined && stored === undefined) return
        await made?.catch(() => {}) // nothing to remove then
        await rm(folder, { recursive: true, force: true })
      },
      close,
    }

    async function close(): Promise<void> {
      for (const log of logs.values()) await log.close()
    }

    async function persist(result: CommandResult): Promise<void> {
      await make()
      const entries: Record<string, StoredLog> = {}
      for (const [name, log] of logs) entries[name] = await log.persist()
      const record: Stored = { id, result, logs: entries }
      await writeFile(join(folder, `${RESULT}.new`), JSON.stringify(record), { mode: 0o600 })
      await rename(join(folder, `${RESULT}.new`), join(folder, RESULT))
    }
  }

  return {
    create: (id, failed) => open(id, failed),
    async load() {
      const found: FinishedCommand[] = []
      if (!existsSync(directory)) return found
      for (const name of await readdir(directory)) {
        const stored = await readStored(join(directory, name))
        if (stored && keyOf(stored.id) === name)
          found.push({ id: stored.id, result: stored.result, spool: open(stored.id, () => {}, stored) })
        else await rm(join(directory, name), { recursive: true, force: true })
      }
      return found
    },
  }
}

async function readStored(folder: string): Promise<Stored | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, RESULT), 'utf8')) as Stored // written by `persist` alone
  } catch {
    return undefined // not finished when the agent ended
  }
}
