/** Where in the config a thing was made: kept beside the data, invisible to comparison, printing and freezing. */
const ORIGIN = Symbol.for('boltbot.origin')

/**
 * `value` frozen, with the call stack of its making. Factories call it last; `skip` is the factory itself.
 * @example const lamp = (options: object) => withOrigin({ kind: 'lamp', options }, lamp)
 */
export function withOrigin<T extends object>(value: T, skip: (...args: never[]) => unknown): Readonly<T> {
  return Object.freeze(keepOrigin(value, skip))
}

/** As {@link withOrigin}, but `value` stays as it is: for what belongs to the caller. The first origin of a thing is kept. */
export function keepOrigin<T extends object>(value: T, skip: (...args: never[]) => unknown): T {
  if (!Object.isExtensible(value) || Object.hasOwn(value, ORIGIN)) return value
  const holder: { stack?: string } = {}
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 20
  Error.captureStackTrace(holder, skip)
  Error.stackTraceLimit = limit
  // Made into text for who asks: that takes long.
  return Object.defineProperty(value, ORIGIN, { get: () => holder.stack ?? '' })
}

/**
 * The stack `withOrigin` kept, innermost caller first, or `undefined` for anything else.
 * @example originOf(lamp({ url })) // the call stack of the config's line
 */
export function originOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as { [ORIGIN]?: string })[ORIGIN]
}
