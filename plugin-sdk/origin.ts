/** Where in the config a thing was made: kept beside the data, invisible to comparison, printing and freezing. */
const ORIGIN = Symbol.for('boltbot.origin')

/** `value` frozen, with the call stack of its making. Factories call it last; `skip` is the factory itself. */
export function withOrigin<T extends object>(value: T, skip: (...args: never[]) => unknown): Readonly<T> {
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 20
  Error.captureStackTrace(holder, skip)
  Error.stackTraceLimit = limit
  Object.defineProperty(value, ORIGIN, { value: holder.stack ?? '' })
  return Object.freeze(value)
}

/** The stack `withOrigin` kept, innermost caller first, or `undefined` for anything else. */
export function originOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as { [ORIGIN]?: string })[ORIGIN]
}
