import { CiError, type Clock, type Log, type LogFields, messageOf } from 'boltbot/plugin-sdk'
import { calledAt, thrownAt } from './thrown-at.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

export interface LogDeps {
  /** Takes one line, without its end; must not throw. */
  readonly write: (line: string) => void
  /** `json` for programs, one object a line; `pretty` for people at a terminal. */
  readonly format: 'json' | 'pretty'
  /** Lines below it are dropped. */
  readonly level: LogLevel
  /** Hides secrets; sees the finished line. */
  readonly redact: (line: string) => string
  readonly clock: Pick<Clock, 'now'>
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** The log of the whole program; parts get a `child` of it. */
export function createLog({ write, format, level, redact, clock }: LogDeps): Log {
  const lowest = LEVELS.indexOf(level)
  const lineOf = format === 'json' ? jsonLine : prettyLine
  const make = (bound: LogFields): Log => {
    const at =
      (own: LogLevel) =>
      (message: string, fields: LogFields = {}) => {
        if (LEVELS.indexOf(own) < lowest) return
        const flat = flattened(bound, fields, level === 'debug')
        write(redact(lineOf(clock.now(), own, message, flat)))
      }
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      child: (fields) => make({ ...bound, ...fields }),
    }
  }
  return make({})
}

type Flat = Readonly<Record<string, unknown>>

/** Whatever plugins throw comes by here, also what throws when it is looked at. */
function flattened(bound: LogFields, fields: LogFields, withStack: boolean): Flat {
  try {
    return flatten({ ...bound, ...fields }, withStack)
  } catch {
    return { ...flatten(bound, false), fields: '[not printable]' }
  }
}

/** Fields as JSON can hold them: an error becomes its code and message, at level debug with its stack. */
function flatten(fields: LogFields, withStack: boolean): Flat {
  const flat: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    flat[key] = value instanceof Error ? flattenError(value, withStack) : value
  }
  return flat
}

function flattenError(error: Error, withStack: boolean, depth = 0): Flat {
  const { code } = error as { readonly code?: unknown } // Node's errors have one, ours too
  const place = placeOf(error)
  return {
    ...(code === undefined ? { name: error.name } : { code }),
    message: shortened(error.message),
    ...(place === undefined ? {} : { place }),
    ...(error instanceof CiError && error.hint !== undefined ? { hint: error.hint } : {}),
    ...(error.cause instanceof Error && depth < 3 ? { cause: flattenError(error.cause, false, depth + 1) } : {}),
    ...(error instanceof AggregateError && depth < 3
      ? { errors: error.errors.map((one) => each(one, depth + 1)) }
      : {}),
    ...(withStack && error.stack !== undefined ? { stack: shortened(error.stack) } : {}),
  }
}

/** Of an error of ours where somebody else's code called us; one that was made of another, and those of Node, name no place. */
function placeOf(error: Error): string | undefined {
  if (error instanceof CiError) return error.cause === undefined ? calledAt(error) : undefined
  return 'code' in error || error instanceof AggregateError ? undefined : thrownAt(error)
}

const each = (thrown: unknown, depth: number) =>
  thrown instanceof Error ? flattenError(thrown, false, depth) : messageOf(thrown)

const LONGEST = 10_000

const shortened = (text: unknown) =>
  typeof text === 'string' && text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text

function jsonLine(at: number, level: LogLevel, message: string, fields: Flat): string {
  const { at: _at, level: _level, message: _message, ...rest } = fields // the line's own keys cannot be overwritten
  return toJson({ at: new Date(at).toISOString(), level, message, ...rest })
}

const COLOURS: Readonly<Record<LogLevel, string>> = { error: '31', warn: '33', info: '32', debug: '90' }

function prettyLine(at: number, level: LogLevel, message: string, fields: Flat): string {
  const time = new Date(at).toISOString().slice(11, 23)
  const rest = Object.entries(fields).map(([key, value]) => ` \u001b[90m${key}=\u001b[0m${plain(value)}`)
  return `\u001b[90m${time}\u001b[0m \u001b[${COLOURS[level]}m${level.padEnd(5)}\u001b[0m ${plain(message)}${rest.join('')}`
}

/** Text for a terminal: what strangers typed must not move the cursor. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : toJson(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (mark) => (mark === '\n' ? '⏎ ' : ' '))
}

function plainForm(item: object): object {
  if (item instanceof Error) return flattenError(item, false)
  return item instanceof Map || item instanceof Set ? [...item] : item
}

/** JSON that never throws: logging must not be what fails. */
function toJson(value: unknown): string {
  const open: object[] = []
  try {
    return (
      JSON.stringify(value, function (this: unknown, _key, item: unknown) {
        if (typeof item === 'bigint') return String(item)
        if (typeof item !== 'object' || item === null) return item
        while (open.length > 0 && open.at(-1) !== this) open.pop()
        if (open.includes(item)) return '[circular]'
        const shown = plainForm(item)
        open.push(shown)
        return shown
      }) ?? String(value)
    )
  } catch (error) {
    return `"[not printable: ${messageOf(error).replace(/["\\]/g, ' ')}]"`
  }
}
