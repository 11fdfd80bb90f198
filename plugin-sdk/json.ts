/** A value that survives JSON unchanged: what properties, plugin state and event payloads are made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * True when `value` is plain JSON data: no functions, no class instances, no NaN, no cycles. Never throws.
 * @example if (!isJson(value)) throw new Error('not JSON')
 */
export function isJson(value: unknown, depth = 64): value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === 0) return false
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth - 1))
  const proto = Object.getPrototypeOf(value)
  if (proto !== Object.prototype && proto !== null) return false
  return Object.values(value).every((item) => isJson(item, depth - 1))
}

/**
 * `value` and all it contains, frozen in place; functions and class instances inside are left as they are.
 * @example const options = deepFreeze({ builders: ['full'] })
 */
export function deepFreeze<T>(value: T, seen = new Set<unknown>()): T {
  if (typeof value !== 'object' || value === null || seen.has(value)) return value
  const proto = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && proto !== Object.prototype && proto !== null) return value
  seen.add(value) // frozen ones are walked too: what they contain may not be frozen
  Object.freeze(value)
  for (const item of Object.values(value)) deepFreeze(item, seen)
  return value
}
