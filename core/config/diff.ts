import { isDeepStrictEqual } from 'node:util'
import type { Config } from './model.ts'

/** What a new config changes, one line each, for people. Empty when nothing but code or order differs. */
export function diffConfigs(old: Config, next: Config): readonly string[] {
  const lines = [
    ...diffMaps('slave', old.slaves, next.slaves),
    ...diffMaps('builder', old.builders, next.builders, ['name', 'builddir']),
    ...diffMaps('plugin', byId(old), byId(next)),
  ]
  if (!same(old.store, next.store)) lines.push('store changed: takes effect when the master is started again')
  for (const key of PLAIN_KEYS) if (!same(old[key], next[key])) lines.push(`${key} changed`)
  return lines
}

const PLAIN_KEYS = [
  'projectName',
  'projectURL',
  'buildbotURL',
  'properties',
  'buildLeaseMs',
  'maxTries',
  'people',
  'access',
  'retention',
  'outbox',
] as const satisfies readonly (keyof Config)[]

/** @param naming keys that follow from the name: things that differ in these only, and in their name, were renamed. */
function diffMaps(
  what: string,
  old: ReadonlyMap<string, object>,
  next: ReadonlyMap<string, object>,
  naming?: readonly string[],
): string[] {
  const lines: string[] = []
  const renamed = naming === undefined ? new Map<string, string>() : renames(old, next, naming)
  for (const name of old.keys()) if (!next.has(name) && !renamed.has(name)) lines.push(`${what} "${name}" removed`)
  for (const [before, after] of renamed)
    lines.push(`${what} "${before}" renamed to "${after}": its history and its queue stay with the old name`)
  for (const [name, after] of next) {
    const before = old.get(name)
    if (before === undefined) {
      if (![...renamed.values()].includes(name)) lines.push(`${what} "${name}" added`)
      continue
    }
    const keys = Object.keys(after).filter((key) => !same(Reflect.get(before, key), Reflect.get(after, key)))
    if (keys.length > 0) lines.push(`${what} "${name}" changed: ${keys.map(wordOf).join(', ')}`)
  }
  return lines
}

/** From old names to new ones: what is gone and what came are the same but for their names. */
function renames(
  old: ReadonlyMap<string, object>,
  next: ReadonlyMap<string, object>,
  naming: readonly string[],
): ReadonlyMap<string, string> {
  const unnamed = (thing: object) => Object.fromEntries(Object.entries(thing).filter(([key]) => !naming.includes(key)))
  const came = new Map([...next].filter(([name]) => !old.has(name)))
  const found = new Map<string, string>()
  for (const [before, thing] of old) {
    if (next.has(before)) continue
    const after = [...came].find(([, other]) => same(unnamed(thing), unnamed(other)))?.[0]
    if (after === undefined) continue
    came.delete(after)
    found.set(before, after)
  }
  return found
}

/** Equal data. A re-read config always has new functions, so those count as equal; a plugin's code has its hash. */
function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(withoutFunctions(a), withoutFunctions(b))
}

function withoutFunctions(value: unknown, seen: readonly object[] = []): unknown {
  if (typeof value === 'function') return 'function'
  if (typeof value !== 'object' || value === null) return value
  if (seen.includes(value)) return 'cycle'
  if (Array.isArray(value)) return value.map((item) => withoutFunctions(item, [...seen, value]))
  const proto = Object.getPrototypeOf(value)
  if (proto !== Object.prototype && proto !== null) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'schema')
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutFunctions(item, [...seen, value])]))
}

const byId = (config: Config) => new Map(config.plugins.map((plugin) => [plugin.id, plugin]))

const wordOf = (key: string) => (key === 'codeHash' ? 'code' : key.replace(/Ms$/, ''))
