import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
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
  /** How many of the bytes before `offset` are of each stream; `undefined`: there are not so many. */
  countsBefore(log: string, offset: number): Readonly<Partial<Record<Stream, number>>> | undefined
  /** Leaves a trace on the disk: whatever comes, the command is not started again. Throws when it cannot. */
  begin(): void
  /** Puts all on the disk, so that a restart of the agent finds the finished command. Does nothing the second time. */
  persist(result: CommandResult): Promise<void>
  remove(): Promise<void>
  /** Nothing is read or written any more; what is on the disk stays. */
  close(): Promise<void>
}

type Failed = (reason: string) => void

export interface SpoolDeps {
  /** The folder of all spools. */
  readonly directory: string
}

export interface Spool {
  /** `failed`: the output can no longer be kept; said once. What is in memory can still be read. */
  create(id: CommandId, digest: string, failed: Failed): CommandSpool
  /** The commands of an earlier run. Of those that it did not finish only the ids stay, until `drop`. */
  load(): Promise<{ readonly finished: readonly FinishedCommand[]; readonly lost: readonly CommandId[] }>
  /** Keeps the id of one that was not finished and is removed, until `drop`. */
  note(id: CommandId): Promise<void>
  /** Forgets one that was not finished. */
  drop(id: CommandId): Promise<void>
  /** Names this place; made once. */
  instance(): Promise<string>
}

export interface FinishedCommand {
  readonly id: CommandId
  readonly result: CommandResult
  readonly digest: string | undefined
  readonly spool: CommandSpool
}

interface Stored {
  readonly id: CommandId
  readonly result: CommandResult
  readonly logs: Readonly<Record<string, StoredLog>>
  /** Of what it was asked to do; left out by older agents. */
  readonly digest?: string
}

const RESULT = 'result.json'
const INSTANCE = 'instance'
const MODE = { recursive: true, mode: 0o700 }

export function createSpool({ directory }: SpoolDeps): Spool {
  function open(id: CommandId, digest: string | undefined, failed: Failed, stored?: Stored): CommandSpool {
    const folder = join(directory, keyOf(id))
    const logs = new Map<string, SpoolLog>()
    let persisted: Promise<void> | undefined = stored && Promise.resolve()
    let removed = false
    let made: Promise<unknown> | undefined
    const make = () => (made ??= mkdir(folder, MODE))

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
      countsBefore: (name, offset) => (logs.has(name) ? logOf(name).countsBefore(offset) : undefined),
      begin() {
        mkdirSync(folder, MODE)
        made = Promise.resolve()
      },
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
        // Most commands leave nothing in it.
        await rmdir(folder).catch(() => rm(folder, { recursive: true, force: true }))
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
      const record: Stored = { id, result, logs: entries, ...(digest !== undefined && { digest }) }
      await writeFile(join(folder, `${RESULT}.new`), JSON.stringify(record), { mode: 0o600 })
      await rename(join(folder, `${RESULT}.new`), join(folder, RESULT))
    }
  }

  return {
    create: (id, digest, failed) => open(id, digest, failed),
    async load() {
      const finished: FinishedCommand[] = []
      const lost: CommandId[] = []
      if (!existsSync(directory)) return { finished, lost }
      for (const name of await readdir(directory)) {
        if (name === INSTANCE) continue
        const folder = join(directory, name)
        const stored = await readStored(folder)
        const id = idOf(name)
        if (stored && keyOf(stored.id) === name) {
          const { result, digest } = stored
          finished.push({ id: stored.id, result, digest, spool: open(stored.id, digest, () => {}, stored) })
          continue
        }
        await rm(folder, { recursive: true, force: true })
        if (id === undefined) continue
        await mkdir(folder, { mode: 0o700 })
        lost.push(id)
      }
      return { finished, lost }
    },
    note: async (id) => void (await mkdir(join(directory, keyOf(id)), MODE)),
    drop: (id) => rm(join(directory, keyOf(id)), { recursive: true, force: true }),
    async instance() {
      const file = join(directory, INSTANCE)
      const kept = await readFile(file, 'utf8').catch(() => '')
      if (kept !== '') return kept
      const made = randomUUID()
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeFile(`${file}.new`, made, { mode: 0o600 })
      await rename(`${file}.new`, file)
      return made
    },
  }
}

function idOf(name: string): CommandId | undefined {
  const [build, epoch, step, index] = name.split('.').map(Number)
  const id = { build: build ?? -1, epoch: epoch ?? -1, step: step ?? -1, index: index ?? -1 }
  return keyOf(id) === name ? id : undefined
}

async function readStored(folder: string): Promise<Stored | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, RESULT), 'utf8')) as Stored // written by `persist` alone
  } catch {
    return undefined // not finished when the agent ended
  }
}
