import {
  API,
  type Claim,
  listNames,
  messageOf,
  NEEDS,
  OLDEST_API,
  type PluginInstance,
  type PluginKind,
  suggest,
} from 'boltbot/plugin-sdk'
import { type Code, checkIsolation } from './check-isolation.ts'
import { checkSchema } from './check-schema.ts'
import type { PluginSpec } from './model.ts'
import { type Report, type Reporter, type Subject, subjectOf } from './report.ts'
import { isRecord, name, show } from './rules.ts'

/** The lists of the config and the kind of plugin each takes. */
const LISTS = { sources: 'source', schedulers: 'scheduler', transports: 'slave', status: 'status' } as const
const KIND_WORDS: Readonly<Record<PluginKind, string>> = {
  source: 'change source',
  scheduler: 'scheduler',
  slave: 'slave transport',
  status: 'status target',
  service: 'service',
}
const START_ORDER: readonly PluginKind[] = ['status', 'scheduler', 'service', 'slave', 'source']

export interface CheckedPlugin {
  readonly spec: PluginSpec
  readonly instance: PluginInstance
  readonly subject: Subject
  readonly claims: readonly Claim[]
}

/** What defined a plugin. */
export interface PluginCode extends Code {
  readonly hash: string
  readonly version: string | null
}

/** All plugins of the config, in start order. */
export function checkPlugins(
  reporter: Reporter,
  master: Subject,
  options: Readonly<Record<string, unknown>>,
  codeOf: (definition: unknown) => PluginCode,
): readonly CheckedPlugin[] {
  const plugins = new Map<string, CheckedPlugin>()
  for (const key of [...Object.keys(LISTS), 'plugins']) {
    const items = options[key]
    if (!Array.isArray(items)) continue
    items.forEach((item: unknown, i) => {
      const found = checkPlugin(reporter, master, key, i, item, codeOf)
      if (!found) return
      const first = plugins.get(found.spec.id)
      if (!first) plugins.set(found.spec.id, found)
      else {
        const what = first.spec.kind === 'scheduler' && found.spec.kind === 'scheduler' ? 'schedulers' : 'plugins'
        const at = reporter.placeOf(first.subject, [])
        const path = isRecord(found.instance.options) && 'name' in found.instance.options ? ['name'] : ['id']
        reporter.report(
          found.subject,
          path,
          `Two ${what} are named "${found.spec.id}". The first is at ${at}. Give one of them another ${path[0]}.`,
        )
      }
    })
  }
  const all = [...plugins.values()]
  return START_ORDER.flatMap((kind) => all.filter(({ spec }) => spec.kind === kind))
}

function checkPlugin(
  { report }: Reporter,
  master: Subject,
  list: string,
  index: number,
  item: unknown,
  codeOf: (definition: unknown) => PluginCode,
): CheckedPlugin | undefined {
  const definition = isRecord(item) && item.kind === 'plugin' ? item.definition : undefined
  if (!isRecord(item) || !isRecord(definition)) {
    const hint = typeof item === 'function' ? 'Call it: add the brackets.' : 'Use what a plugin of definePlugin gives.'
    report(master, [list, index], `It is ${show(item)}, not a plugin. ${hint}`)
    return undefined
  }
  const instance = item as unknown as PluginInstance // its kind and definition were looked at
  const given = { ...master, base: [...master.base, list, index] }
  const subject = subjectOf(`${list}[${index}] "${instance.id}"`, instance, [0], given)
  const kind = instance.pluginKind
  if (!Object.hasOwn(KIND_WORDS, kind)) {
    report(subject, [], `Its kind is ${show(kind)}. Use one of ${Object.keys(KIND_WORDS).join(', ')}.`)
    return undefined
  }
  if (typeof definition.apply !== 'function') {
    report(subject, [], 'Its definition has no function "apply". Give one: apply(host, options) { … }.')
    return undefined
  }
  checkApi(report, subject, definition.api)
  checkNeeds(report, subject, definition.needs)
  const expected = LISTS[list as keyof typeof LISTS] as PluginKind | undefined // 'plugins' takes every kind
  if (expected !== undefined && expected !== kind) {
    const right = Object.entries(LISTS).find(([, its]) => its === kind)?.[0] ?? 'plugins'
    const message = `"${instance.id}" is a ${KIND_WORDS[kind]}, not a ${KIND_WORDS[expected]}. Move it to ${right}.`
    report({ ...master, label: 'config' }, [list, index], message)
  }
  const wrongId = name(instance.id)
  if (wrongId !== undefined) report(subject, ['id'], `Its id is ${show(instance.id)}. Give ${wrongId}.`)
  const options = checkSchema(report, subject, instance.definition.schema, instance.options)
  const code = codeOf(definition)
  const spec = {
    id: instance.id,
    kind,
    definition: instance.definition,
    options: options ?? instance.options,
    codeHash: code.hash,
    version: code.version,
    worker: checkIsolation(report, subject, instance, options ?? instance.options, code),
  }
  return { spec, instance, subject, claims: options === undefined ? [] : claimsOf(report, subject, spec) }
}

function claimsOf(report: Report, subject: Subject, { definition, options }: PluginSpec): readonly Claim[] {
  try {
    return definition.claims?.(options as never) ?? [] // the factory tied both
  } catch (error) {
    report(subject, [], `What it claims cannot be said: ${messageOf(error)}`)
    return []
  }
}

/** Two plugins that share what only one can have would get into each other's way at run time, and nobody would be told. */
export function checkClaims({ report, placeOf }: Reporter, plugins: readonly CheckedPlugin[]): void {
  const first = new Map<string, CheckedPlugin>()
  for (const plugin of plugins)
    for (const { what, hint } of plugin.claims) {
      const other = first.getOrInsert(what, plugin)
      if (other === plugin) continue
      report(plugin.subject, [], `It has ${what}, as has "${other.spec.id}" at ${placeOf(other.subject, [])}. ${hint}`)
    }
}

/** A plugin for another version would fail somewhere in the middle of the night. */
function checkApi(report: Report, subject: Subject, api: unknown): void {
  if (api === undefined || (Number.isInteger(api) && (api as number) >= OLDEST_API && (api as number) <= API)) return
  const known = OLDEST_API === API ? `version ${API}` : `versions ${OLDEST_API} to ${API}`
  const hint =
    typeof api === 'number' && api > API ? 'Install a newer Boltbot, or an older plugin.' : 'Install a newer plugin.'
  report(
    subject,
    [],
    `It was written for version ${show(api)} of the plugin interface; this Boltbot has ${known}. ${hint}`,
  )
}

/** A need that is mistyped would be found only when it is used. */
function checkNeeds(report: Report, subject: Subject, needs: unknown): void {
  if (needs === undefined) return
  if (!Array.isArray(needs)) {
    report(subject, [], `Its needs are ${show(needs)}. Give a list: needs: ['state'].`)
    return
  }
  const known = Object.keys(NEEDS)
  for (const need of needs) {
    if (typeof need === 'string' && (known.includes(need) || /^secrets:./.test(need))) continue
    const near = typeof need === 'string' ? suggest(need, known) : undefined
    const hint = near ? `Did you mean "${near}"?` : `Use some of ${known.join(', ')}, or secrets:NAME.`
    report(subject, [], `It needs ${show(need)}, which no host gives. ${hint}`)
  }
}

/** Slaves that cannot log in: without password, when no transport starts slaves itself. */
export function checkPasswords(
  { report }: Reporter,
  plugins: readonly CheckedPlugin[],
  slaves: Iterable<{
    readonly spec: { readonly name: string; readonly password: unknown; readonly latent: unknown }
    readonly subject: Subject
  }>,
): void {
  const transports = plugins.filter(({ spec }) => spec.kind === 'slave')
  if (transports.length === 0 || transports.some(({ spec }) => spec.definition.startsSlaves === true)) return
  for (const { spec, subject } of slaves) {
    if (spec.password !== null || spec.latent !== null) continue
    const ids = listNames(transports.map((transport) => transport.spec.id))
    const message = `It has no password, so it cannot log in over ${ids}. Add password: secret('${spec.name}').`
    report(subject, ['password'], message)
  }
}

/** Plugins that are reached over HTTP, when there is no web server. */
export function checkServing({ report }: Reporter, plugins: readonly CheckedPlugin[]): void {
  for (const { spec, subject } of plugins)
    if (spec.definition.needs?.includes('http'))
      report(
        subject,
        [],
        'It is reached over HTTP, and the config has no web server. Add http: { port: 8010 } to defineMaster.',
      )
}
