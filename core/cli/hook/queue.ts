import { randomUUID } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ChangeInput, Json } from 'boltbot/plugin-sdk'

/**
 * What hooks were told and the master has not taken yet, in files below a folder of the repository. A ticket is a number; its file
 * `NUMBER.report` holds what a hook was told, as it was told. Read, it becomes `NUMBER.changes`, a line for each change, and
 * `NUMBER.sent` has a byte for each that the master has. Tickets are in the order in which the hooks were started.
 *
 * Everybody who may commit may write here: folder and files are for whom the folder above is.
 */
export interface HookQueue {
  /** Keeps what a hook was told: on the disk when this returns. */
  put(report: QueuedReport): void
  /** All tickets in order. */
  list(): readonly Ticket[]
  report(ticket: string): QueuedReport
  /** Puts changes in the place of reports, at the first of them; whole, or not at all. */
  keep(tickets: readonly string[], changes: readonly ChangeInput[], position: Json | undefined): void
  /** The changes of a ticket that the master does not have yet. */
  waiting(ticket: string): readonly QueuedChange[]
  /** The master has the first change of a ticket that waits, or refuses it for good. */
  sent(ticket: string): void
  /** Puts what will never be taken aside, into `failed.jsonl`. */
  fail(what: unknown, reason: string): void
  drop(ticket: string): void
  /** Counts and gives how often a ticket could not be read. */
  countTry(ticket: string): number
  /** Where the reading of the repository left off. */
  readonly position: Json | undefined
  /** Sets the position, unless there is one. */
  begin(position: Json): void
  /** For one process at a time; `null`: another has it. The system gives it back when a process dies. */
  lock(): Disposable | null
}

export interface Ticket {
  readonly name: string
  readonly isRead: boolean
}

export interface QueuedReport {
  readonly kind: string
  readonly repository: string
  readonly event: Json
}

export interface QueuedChange {
  /** The same with each try, and of no other change. */
  readonly id: string
  readonly change: ChangeInput
}

interface Header {
  readonly tickets: readonly string[]
  readonly position?: Json
}

/** @param folder made when it is not there, in a folder that is. @throws what the file system throws. */
export function openHookQueue(folder: string): HookQueue {
  const queue = join(folder, 'queue')
  const mode = makeShared(queue, makeShared(folder, statSync(dirname(folder)).mode))
  const fileMode = (mode & 0o660) | 0o600
  const pathOf = (name: string) => join(queue, name)

  /** Whole and on the disk, or not there. */
  function write(path: string, text: string): void {
    const temporary = `${path}.${randomUUID()}.tmp`
    writeFileSync(temporary, text, { flush: true })
    chmodSync(temporary, fileMode) // whatever the umask of who commits
    renameSync(temporary, path)
  }

  const self: HookQueue = {
    put(report) {
      const temporary = pathOf(`${randomUUID()}.tmp`)
      writeFileSync(temporary, JSON.stringify(report), { flush: true })
      chmodSync(temporary, fileMode)
      for (let number = nextNumber(readdirSync(queue)); ; number++)
        try {
          linkSync(temporary, pathOf(`${String(number).padStart(8, '0')}.report`))
          break
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        }
      rmSync(temporary)
    },

    list() {
      const names = new Set(readdirSync(queue))
      const tickets = [...new Set([...names].flatMap((name) => /^(\d{8,})\.(?:report|changes)$/.exec(name)?.[1] ?? []))]
      return tickets
        .toSorted((a, b) => Number(a) - Number(b))
        .map((name) => ({ name, isRead: names.has(`${name}.changes`) }))
    },

    report: (ticket) => JSON.parse(readFileSync(pathOf(`${ticket}.report`), 'utf8')),

    keep(tickets, changes, position) {
      const header: Header = { tickets, ...(position !== undefined && { position }) }
      const lines = changes.map((change) => ({ id: randomUUID(), change }))
      write(pathOf(`${tickets[0]}.changes`), [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''))
      settle(tickets[0]!)
    },

    waiting(ticket) {
      settle(ticket) // somebody may have died in `keep`
      const count = sizeOf(pathOf(`${ticket}.sent`))
      const [, ...lines] = linesOf(ticket)
      return lines.slice(count).map((line) => JSON.parse(line))
    },

    sent(ticket) {
      appendFileSync(pathOf(`${ticket}.sent`), '.', { mode: fileMode }) // whole in one go, whenever it is killed
    },

    fail(what, reason) {
      const line = { at: new Date().toISOString(), reason, what }
      appendFileSync(join(folder, 'failed.jsonl'), `${JSON.stringify(line)}\n`, { mode: fileMode })
    },

    drop(ticket) {
      for (const kind of ['report', 'changes', 'tries', 'sent']) rmSync(pathOf(`${ticket}.${kind}`), { force: true })
    },

    countTry(ticket) {
      appendFileSync(pathOf(`${ticket}.tries`), '.', { mode: fileMode })
      return sizeOf(pathOf(`${ticket}.tries`))
    },

    get position() {
      const path = join(folder, 'position.json')
      return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
    },

    begin(position) {
      if (self.position === undefined) write(join(folder, 'position.json'), JSON.stringify(position))
    },

    lock() {
      const path = pathOf('lock')
      if (!existsSync(path)) {
        writeFileSync(path, '', { flag: 'a' })
        chmodSync(path, fileMode)
      }
      const database = new DatabaseSync(path)
      try {
        database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
        return { [Symbol.dispose]: () => database.close() }
      } catch (error) {
        database.close()
        if ((error as { readonly errcode?: number }).errcode !== SQLITE_BUSY) throw error
        return null
      }
    },
  }

  /** What follows from changes that are kept: the position moves on, the reports go. */
  function settle(ticket: string): void {
    const { tickets, position }: Header = JSON.parse(linesOf(ticket)[0]!)
    if (!tickets.some((name) => existsSync(pathOf(`${name}.report`)))) return
    if (position !== undefined) write(join(folder, 'position.json'), JSON.stringify(position))
    for (const name of tickets.toReversed()) {
      rmSync(pathOf(`${name}.report`), { force: true })
      rmSync(pathOf(`${name}.tries`), { force: true })
    }
  }

  const linesOf = (ticket: string) =>
    readFileSync(pathOf(`${ticket}.changes`), 'utf8')
      .split('\n')
      .filter(Boolean)
  return self
}

const SQLITE_BUSY = 5

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0

const nextNumber = (names: readonly string[]) =>
  names.reduce((last, name) => Math.max(last, Number(/^(\d{8,})\./.exec(name)?.[1] ?? 0)), 0) + 1

/** Gives the mode. */
function makeShared(path: string, above: number): number {
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true })
    chmodSync(path, (above & 0o2770) | 0o700)
  }
  return statSync(path).mode
}
