import type { HttpMethod } from 'boltbot/plugin-sdk'

/** Which route serves a path. Pure: knows no sockets. */
export interface Router<Served> {
  /** `undefined`: the pair is there already. */
  add(method: HttpMethod, path: string, served: Served): Disposable | undefined
  find(method: string, segments: readonly string[]): Found<Served>
  /** What serves pages that nothing else does: the route `/*`. */
  fallback(method: string): Served | undefined
  /** What serves exactly this method and this form of path. */
  serving(method: HttpMethod, path: string): Served | undefined
}

export type Found<Served> =
  | { readonly served: Served; readonly params: Readonly<Record<string, string>> }
  /** Methods that are served at this path; empty: the path is unknown. */
  | { readonly served: undefined; readonly allowed: readonly string[] }

export function createRouter<Served>(): Router<Served> {
  const entries: Entry<Served>[] = []
  const same = (method: string, shape: string) =>
    entries.find((entry) => entry.method === method && entry.shape === shape)
  return {
    add(method, path, served) {
      const shape = shapeOf(path)
      if (same(method, shape)) return undefined
      const entry = { method, shape, segments: path.slice(1).split('/'), served }
      entries.push(entry)
      entries.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)) // so that plain segments are asked before parameters
      return { [Symbol.dispose]: () => void entries.splice(entries.indexOf(entry), 1) }
    },
    find(method, segments) {
      const wanted = method === 'HEAD' ? 'GET' : method
      const fitting = entries.filter((entry) => entry.shape !== REST && fits(entry.segments, segments))
      const entry = fitting.find((one) => one.method === wanted)
      if (entry) return { served: entry.served, params: paramsOf(entry.segments, segments) }
      const methods = new Set(fitting.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : [one.method])))
      return { served: undefined, allowed: [...methods] }
    },
    fallback: (method) => same(method === 'HEAD' ? 'GET' : method, REST)?.served,
    serving: (method, path) => same(method, shapeOf(path))?.served,
  }
}

/** Why a path cannot be one of a route: the end of a sentence; `undefined` when it can. */
export function wrongPath(path: unknown): string | undefined {
  if (typeof path !== 'string' || !path.startsWith('/')) return 'does not begin with "/"'
  if (path === '/' || path === REST) return undefined
  const segments = path.slice(1).split('/')
  if (segments.includes('')) return 'has an empty segment'
  const odd = segments.find((segment) => !/^(?:[\w.~-]+|:[A-Za-z]\w*)$/.test(segment) || /^\.+$/.test(segment))
  if (odd !== undefined) return `has the segment "${odd}", which is neither a plain word nor a ":name"`
  const names = segments.filter((segment) => segment.startsWith(':'))
  return new Set(names).size === names.length ? undefined : 'has two parameters of one name'
}

/** The decoded segments of a path as it came; `undefined` when it is no path that could lead anywhere. */
export function segmentsOf(path: string): readonly string[] | undefined {
  if (!path.startsWith('/')) return undefined
  try {
    const segments = path.slice(1).split('/').map(decodeURIComponent)
    return segments.some((segment) => /^\.{1,2}$|\p{Cc}/u.test(segment)) ? undefined : segments
  } catch {
    return undefined // a stray "%"
  }
}

/** All that nobody else serves. */
const REST = '/*'

interface Entry<Served> {
  readonly method: HttpMethod
  /** The path with its parameters without names: `/builders/:`. */
  readonly shape: string
  readonly segments: readonly string[]
  readonly served: Served
}

const shapeOf = (path: string) => path.replace(/:\w+/g, ':')

const sortKey = ({ shape }: { readonly shape: string }) => shape.replaceAll(':', '\uffff')

function fits(wanted: readonly string[], given: readonly string[]): boolean {
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => (part.startsWith(':') ? given[i] !== '' : part === given[i]))
  )
}

function paramsOf(wanted: readonly string[], given: readonly string[]): Readonly<Record<string, string>> {
  const pairs = wanted.flatMap((part, i) => (part.startsWith(':') ? [[part.slice(1), given[i]!] as const] : []))
  return Object.fromEntries(pairs)
}
