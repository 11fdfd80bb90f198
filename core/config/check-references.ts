import { isLock, type LockBook } from './check-locks.ts'
import type { CheckedPlugin } from './check-plugins.ts'
import { schedulerName } from './check-scheduler-names.ts'
import type { KeyPath } from './positions.ts'
import type { Reporter } from './report.ts'
import { isRecord, knownNames, show } from './rules.ts'

/** The names a config declares. */
export interface Known {
  readonly builders: ReadonlySet<string>
  readonly slaves: ReadonlySet<string>
  readonly schedulers: ReadonlySet<string>
  readonly plugins: ReadonlySet<string>
  /** Those that builders have. */
  readonly categories: ReadonlySet<string>
}

/** What the options of all plugins refer to: builders, slaves, schedulers, locks. */
export function checkReferences(
  reporter: Reporter,
  plugins: readonly CheckedPlugin[],
  known: Omit<Known, 'plugins' | 'schedulers'>,
  locks: LockBook,
): void {
  const schedulers = plugins
    .filter(({ spec }) => spec.kind === 'scheduler')
    .map(({ instance }) => schedulerName(instance))
  const all = { ...known, plugins: new Set(plugins.map(({ spec }) => spec.id)), schedulers: new Set(schedulers) }
  for (const plugin of plugins) checkOne(reporter, plugin, all, locks)
}

/**
 * Looks through the options of a plugin for builders, slaves, schedulers and locks. Objects are known by their kind, wherever
 * they stand; names only where schedulers and status targets agree to put them: lists `builders`, and `upstream`; and what status
 * targets look at, lists `schedulers` and `categories`.
 */
function checkOne({ report }: Reporter, plugin: CheckedPlugin, known: Known, locks: LockBook): void {
  const { subject, spec, instance } = plugin
  const byName = spec.kind === 'scheduler' || spec.kind === 'status'

  const checkName = (path: KeyPath, what: string, list: string, name: string, names: ReadonlySet<string>) => {
    if (!names.has(name))
      report(subject, path, `It names ${what} "${name}", which is not in ${list}. ${knownNames(name, names)}`)
  }

  for (const { path, value } of objectsIn(instance.options)) {
    const { kind, name, id } = value as { kind?: unknown; name?: unknown; id?: unknown } // any object may be asked
    if (kind === 'builder' && typeof name === 'string') checkName(path, 'builder', 'builders', name, known.builders)
    else if (kind === 'slave' && typeof name === 'string') checkName(path, 'slave', 'slaves', name, known.slaves)
    else if (kind === 'plugin' && typeof id === 'string') checkName(path, 'plugin', 'the config', id, known.plugins)
    else if (isLock(value)) locks.add(subject, path, value)
    else if (kind === 'lockAccess' && 'lock' in value && isLock(value.lock)) locks.add(subject, path, value.lock)
  }
  if (!byName || !isRecord(instance.options)) return
  for (const { path, list } of listsIn('builders', instance.options))
    list.forEach((item: unknown, i) => {
      if (typeof item === 'string') checkName([...path, i], 'builder', 'builders', item, known.builders)
      else if (!isRecord(item) || item.kind !== 'builder')
        report(subject, [...path, i], `It is ${show(item)}, not a builder. Give a builder or a builder's name.`)
    })
  if (spec.kind === 'status') {
    for (const { path, name } of namesIn('schedulers', instance.options))
      checkName(path, 'scheduler', 'schedulers', name, known.schedulers)
    for (const { path, name } of namesIn('categories', instance.options))
      if (!known.categories.has(name))
        report(
          subject,
          path,
          `It names category "${name}", which no builder has. ${knownNames(name, known.categories)}`,
        )
  }
  const { upstream } = instance.options
  if (spec.kind === 'scheduler' && typeof upstream === 'string')
    checkName(['upstream'], 'scheduler', 'schedulers', upstream, known.schedulers)
}

function namesIn(key: string, options: unknown) {
  return [...listsIn(key, options)].flatMap(({ path, list }) =>
    list.flatMap((name, i) => (typeof name === 'string' ? [{ path: [...path, i], name }] : [])),
  )
}

/** Every list of that name: of the options themselves, and of parts of them such as the channels of a chat bot. */
function* listsIn(
  wanted: string,
  at: unknown,
  path: KeyPath = [],
): Generator<{ readonly path: KeyPath; readonly list: readonly unknown[] }> {
  if (typeof at !== 'object' || at === null || path.length > 8) return
  if ('kind' in at && typeof at.kind === 'string' && THINGS.has(at.kind)) return
  for (const [key, value] of Array.isArray(at) ? at.entries() : Object.entries(at)) {
    if (key === wanted && Array.isArray(value)) yield { path: [...path, key], list: value }
    else yield* listsIn(wanted, value, [...path, key])
  }
}

/** Every object inside, each once. Things of the config are not entered: they are checked where they are declared. */
function* objectsIn(root: unknown): Generator<{ readonly path: KeyPath; readonly value: object }> {
  const seen = new Set<object>()
  const open: { readonly path: KeyPath; readonly value: unknown }[] = [{ path: [], value: root }]
  for (const { path, value } of open) {
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    if (path.length > 0 && 'kind' in value) {
      yield { path, value }
      if (typeof value.kind === 'string' && THINGS.has(value.kind)) continue
    }
    if (Array.isArray(value)) value.forEach((item: unknown, i) => void open.push({ path: [...path, i], value: item }))
    else if ([Object.prototype, null].includes(Object.getPrototypeOf(value)))
      for (const [key, item] of Object.entries(value)) open.push({ path: [...path, key], value: item })
  }
}

const THINGS: ReadonlySet<string> = new Set(['builder', 'slave', 'plugin', 'masterLock', 'slaveLock', 'lockAccess'])
