import { originOf } from 'boltbot/plugin-sdk'

/**
 * The options a plugin is given. A reconfigure imports the config again, which makes every function in it anew; so a plugin gets,
 * in place of each function, a stable one that calls whichever is current. Then a plugin whose options differ in functions only
 * need not be stopped.
 */
export interface LiveOptions {
  /** Frozen; for `apply` and `start`. */
  readonly options: object
  /** Puts in the functions of options that {@link compareOptions} finds equal. */
  swap(next: object): void
  /** Options with other data, for `reconfigure`: functions at the same places are shared with those given out before. */
  renew(next: object): object
}

export function createLiveOptions(given: object): LiveOptions {
  /** By place: `parser`, `filters.0.match`. */
  const cells = new Map<string, Cell>()

  const take = (value: unknown, place: string, above: readonly object[]): unknown => {
    if (typeof value === 'function') {
      const cell = cells.get(place) ?? createCell()
      cell.current = value as Cell['current'] // options come untyped; who calls it knows its arguments
      cells.set(place, cell)
      return cell.stable
    }
    if (!isOpen(value) || above.includes(value)) return value
    const inside = [...above, value]
    const at = (key: string) => (place === '' ? key : `${place}.${key}`)
    if (Array.isArray(value)) return Object.freeze(value.map((item, index) => take(item, at(`${index}`), inside)))
    return Object.freeze(
      Object.fromEntries(Object.entries(value).map(([key, item]) => [key, take(item, at(key), inside)])),
    )
  }
  const renew = (next: object) => take(next, '', []) as object // an object goes in, so an object comes out

  return {
    options: renew(given),
    swap: (next) => void renew(next),
    renew,
  }
}

/** Names of the top-level options whose data differ; functions are equal to functions. Empty: the options are equal. */
export function compareOptions(before: object, after: object): readonly string[] {
  const [a, b] = [before as Record<string, unknown>, after as Record<string, unknown>] // read by key only
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].filter((key) => !isSame(a[key], b[key], []))
}

interface Cell {
  current: (...args: never[]) => unknown
  readonly stable: unknown
}

function createCell(): Cell {
  // Traps rather than a plain forwarding function: options may also hold classes, and functions with properties.
  const cell: { -readonly [Key in keyof Cell]: Cell[Key] } = { current: () => undefined, stable: undefined }
  cell.stable = new Proxy(function option() {}, {
    apply: (_, self, args) => Reflect.apply(cell.current, self, args),
    construct: (_, args, target) => {
      // A class is known by its own prototype: what `new` makes must be an instance of the current one.
      return Reflect.construct(cell.current, args, target === cell.stable ? cell.current : target)
    },
    get: (_, key) => Reflect.get(cell.current, key),
    has: (_, key) => Reflect.has(cell.current, key),
  })
  return cell
}

function isSame(a: unknown, b: unknown, above: readonly (readonly [object, object])[]): boolean {
  if (Object.is(a, b)) return true
  if (typeof a === 'function') return typeof b === 'function'
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (above.some(([x, y]) => x === a && y === b)) return true // a cycle, compared where it began
  const pairs = [...above, [a, b] as const]

  const names = [nameOf(a), nameOf(b)]
  if (names[0] !== undefined || names[1] !== undefined) return names[0] === names[1]
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i], pairs))
    )
  }
  if (!isPlain(a) || !isPlain(b)) return isSameInstance(a, b, pairs)
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>] // read by key only
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key], pairs))
  )
}

/** Class instances: those of the language by value, all others only if they are one object, as they may hide what they hold. */
function isSameInstance(a: object, b: object, pairs: readonly (readonly [object, object])[]): boolean {
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b)
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (a instanceof Map && b instanceof Map) return isSame([...a], [...b], pairs)
  if (a instanceof Set && b instanceof Set) return isSame([...a], [...b], pairs)
  if (a instanceof Uint8Array && b instanceof Uint8Array)
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  return false
}

/** Parts of the config inside options are named by the plugin, not owned: a builder with new steps is the same builder to it. */
function nameOf(value: object): string | undefined {
  if (originOf(value) === undefined) return undefined
  const part = value as {
    readonly kind?: unknown
    readonly name?: unknown
    readonly id?: unknown
    readonly lock?: object
    readonly mode?: unknown
  }
  switch (part.kind) {
    case 'slave':
    case 'builder':
    case 'masterLock':
    case 'slaveLock':
      return `${part.kind} ${String(part.name)}`
    case 'plugin':
      return `plugin ${String(part.id)}`
    case 'lockAccess':
      return part.lock && `${nameOf(part.lock)} ${String(part.mode)}`
    default:
      return undefined
  }
}

/** Walked into: plain lists and objects that are the plugin's own data. */
function isOpen(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Array.isArray(value) || isPlain(value)) &&
    nameOf(value) === undefined
  )
}

function isPlain(value: object): boolean {
  const proto = Object.getPrototypeOf(value)
  return proto === Object.prototype || proto === null
}
