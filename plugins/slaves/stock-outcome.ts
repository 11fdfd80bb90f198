import { constants } from 'node:os'
import type { CommandIo, CommandResult, Json, Stream } from 'boltbot/plugin-sdk'
import type { StockOrder } from './stock-orders.ts'

/** What a stock worker said about one order, as it comes. */
export interface StockOutcome {
  /** Text of a stream. Resolves when it is stored. */
  text(stream: Stream, text: string): Promise<void>
  /** Text of another log. Resolves when it is stored. */
  log(name: string, text: string): Promise<void>
  exit(code: number): void
  found(data: Json): void
  /** Newer workers say why they ended a command. */
  reason(reason: string): void
  /** We asked the worker to end it. */
  interrupted(): void
  /** The worker has done with it: `failure` when the command itself went wrong. Resolves when all text is stored. */
  finish(failure: string | null, elapsed: number): Promise<CommandResult>
}

/** Offsets of all logs of a command, over its orders. */
export type Offsets = Map<string, number>

const ENOENT = 2
const ENOTDIR = 20

export function createOutcome(order: StockOrder, io: CommandIo, offsets: Offsets): StockOutcome {
  let tail: Promise<void> = Promise.resolve()
  let exitCode: number | null = null
  let data: Json = null
  let endedBy: CommandResult['cause'] | null = null
  let signal: string | null = null
  let lastWords = ''
  let isInterrupted = false

  function append(log: string, stream: Stream, text: string): Promise<void> {
    const bytes = Buffer.from(text)
    const offset = offsets.get(log) ?? 0
    offsets.set(log, offset + bytes.length)
    // Core learns of its own failure and ends the command; the worker need not wait for that.
    tail = tail.then(() => io.output(log, stream, offset, bytes)).catch(() => {})
    return tail
  }

  return {
    text(stream, text) {
      if (stream === 'header') {
        endedBy ??= endingIn(text)
        signal ??= signalIn(text)
      }
      if (stream !== 'stdout') lastWords = text.trim() || lastWords
      if (order.kind === 'cpdir' && stream === 'stdout') return tail // a line for each file
      return append('stdio', stream, text)
    },
    log: (name, text) => append(name, 'stdout', text),
    exit(code) {
      exitCode = code
    },
    found(value) {
      data = value
    },
    reason(reason) {
      endedBy = REASONS.get(reason) ?? endedBy
    },
    interrupted() {
      isInterrupted = true
    },
    async finish(failure, elapsed) {
      await tail
      const result = (fields: Partial<CommandResult>): CommandResult => ({
        exitCode: null,
        signal,
        cause: 'exit',
        error: null,
        elapsed,
        data: null,
        ...fields,
      })
      const failed = exitCode === null || exitCode !== 0
      if (isInterrupted && (failed || failure !== null)) return result({ cause: 'interrupted' })
      if (endedBy !== null) return result({ cause: endedBy })
      if (failure !== null) return result({ cause: 'error', error: failure })
      if (exitCode === null) return result({ cause: 'error', error: 'The worker told no exit code.' })
      if (order.kind === 'shell') return result({ exitCode: signal === null ? exitCode : null })
      if (!failed || isFine(order, exitCode)) return result({ exitCode: 0, data })
      return result({ cause: 'error', error: lastWords || `It failed with code ${exitCode}.` })
    },
  }
}

/** What is not there need not be removed, and is told by `stat`. */
function isFine(order: StockOrder, exitCode: number): boolean {
  if (order.kind === 'rmfile') return exitCode === ENOENT
  return order.kind === 'stat' && (exitCode === ENOENT || exitCode === ENOTDIR)
}

const REASONS: ReadonlyMap<string, CommandResult['cause']> = new Map([
  ['timeout_without_output', 'timeout'],
  ['timeout', 'maxTime'],
])

/** Workers up to 3.7 say it in words only. */
function endingIn(header: string): CommandResult['cause'] | null {
  const ended = /^command timed out: \S+ seconds (without output|elapsed)/m.exec(header)
  return ended === null ? null : ended[1] === 'elapsed' ? 'maxTime' : 'timeout'
}

const SIGNALS: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name] as const),
)

function signalIn(header: string): string | null {
  const killed = /^process killed by signal (\d+)/m.exec(header)
  return killed === null ? null : (SIGNALS.get(Number(killed[1])) ?? `signal ${killed[1]}`)
}

/** What our `stat` tells, from the ten numbers of Python's. */
export function statData(numbers: readonly number[]): Json {
  const [mode = 0, , , , , , size = 0, , mtime = 0] = numbers
  const format = mode & 0o170000
  const type = format === 0o100000 ? 'file' : format === 0o040000 ? 'directory' : 'other'
  return { type, size, mtime: mtime * 1000 }
}
