import { formatDuration, listNames, type PluginKind } from 'boltbot/plugin-sdk'
import type { BuilderSpec, Config, PluginSpec } from './model.ts'

/** The walk in words: where changes come from, who decides, what is built where, who is told. */
export function describeConfig(config: Config): readonly string[] {
  const of = (kind: PluginKind) => config.plugins.filter((plugin) => plugin.kind === kind)
  const ids = (kind: PluginKind) => listNames(of(kind).map(({ id }) => id))
  return [
    `${config.projectName}: ${amount(config.builders.size, 'builder')} on ${amount(config.slaves.size, 'slave')}.`,
    of('source').length === 0
      ? 'No change source: changes come by hand ("boltbot change").'
      : `Changes come from ${ids('source')}.`,
    ...(of('scheduler').length === 0
      ? ['No scheduler: builds are started by hand ("boltbot force").']
      : of('scheduler').map(describeScheduler)),
    ...[...config.builders.values()].map(describeBuilder),
    `Slaves are reached over ${ids('slave')}.`,
    ...[...config.slaves.values()].map(({ name, maxBuilds, latent }) => {
      const builders = [...config.builders.values()].filter(({ slaves }) => slaves.includes(name))
      const limit = maxBuilds === null ? '' : `, ${amount(maxBuilds, 'build')} at once`
      return builders.length === 0
        ? `Slave "${name}" is used by no builder.`
        : `Slave "${name}" builds ${listNames(builders.map((builder) => builder.name))}${limit}${latent === null ? '' : `, started by "${latent.engine}" when it is needed`}.`
    }),
    of('status').length === 0 ? 'Nobody is told: there is no status target.' : `Results are told by ${ids('status')}.`,
    ...(config.store === null ? [] : [`Its state is kept in ${config.store.postgres}.`]),
    ...(of('service').length === 0 ? [] : [`Services: ${ids('service')}.`]),
    `A build waits ${formatDuration(config.buildLeaseMs)} for a lost slave and is tried ${config.maxTries === 1 ? 'once' : `${config.maxTries} times`}.`,
  ]
}

function describeScheduler({ id, options }: PluginSpec): string {
  const { builders } = options as { readonly builders?: unknown } // schedulers agree on this key; others may lack it
  if (!Array.isArray(builders)) return `Scheduler "${id}" decides what is built.`
  const names = builders.map((item: { readonly name?: string } | string) =>
    typeof item === 'string' ? item : (item.name ?? '?'),
  )
  return `Scheduler "${id}" starts ${listNames(names)}.`
}

function describeBuilder({ name, steps, chooseSteps, slaves }: BuilderSpec): string {
  const titles = steps.map(({ flags, definition }) => flags.name ?? definition.name)
  const listed = titles.length === 0 ? 'no steps' : `${amount(titles.length, 'step')}: ${titles.join(', ')}`
  const work = chooseSteps === null ? listed : 'its steps are chosen for each build'
  return `Builder "${name}" (${work}) runs on ${listNames(slaves)}.`
}

const amount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
