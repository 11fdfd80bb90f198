import type { Log, LogFields } from '../clock.ts'
import { messageOf } from '../errors.ts'

/** A log that prints nothing and remembers everything. */
export interface MemoryLog extends Log {
  /** All lines so far, also those of children, oldest first. */
  readonly lines: readonly LogLine[]
  /** The lines of a level, of a message, or both. @example log.find('error') */
  find(level: LogLevel | null, message?: string): readonly LogLine[]
  /** The lines as text, for the message of a failing test. */
  text(): string
}

/** How loud a line is. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** One line of a log, with all its fields. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** @example
 * const log = createMemoryLog()
 * log.child({ plugin: 'lamp' }).error('lamp broken')
 * assert.equal(log.find('error').length, 1) */
export function createMemoryLog(): MemoryLog {
  const lines: LogLine[] = []
  const at = (bound: LogFields): Log => {
    const add =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}) => {
        lines.push({ level, message, fields: { ...bound, ...fields } })
      }
    return {
      error: add('error'),
      warn: add('warn'),
      info: add('info'),
      debug: add('debug'),
      child: (fields) => at({ ...bound, ...fields }),
    }
  }
  return {
    ...at({}),
    lines,
    find: (level, message) =>
      lines.filter(
        (line) => (level === null || line.level === level) && (message === undefined || line.message === message),
      ),
    text: () => lines.map((line) => `${line.level} ${line.message} ${fieldsText(line.fields)}`).join('\n'),
  }
}

function fieldsText(fields: LogFields): string {
  return JSON.stringify(fields, (_, value) => (value instanceof Error ? messageOf(value) : value)) ?? ''
}
