import type { Change, Json, PropertyEntry, PropertyMap, SourceStamp } from 'boltbot/plugin-sdk'
import type { BuilderSpec, Config, SlaveSpec } from './config/model.ts'

/** What the properties of a build are made of. */
export interface PropertySources {
  readonly config: Config
  readonly builder: BuilderSpec
  readonly slave: SlaveSpec
  readonly sourceStamp: SourceStamp
  readonly changes: readonly Change[]
  /** Of the buildset, and who asked for it. */
  readonly asked: Readonly<Record<string, Json>>
  readonly scheduler: string | null
  readonly owner: string | null
  readonly number: number
}

/**
 * The properties a build starts with, each with its source; a later source wins: config, changes, scheduler or person, slave,
 * builder, and last what the build itself is.
 */
export function initialProperties(from: PropertySources): PropertyMap {
  const { builder, slave, sourceStamp, scheduler, owner } = from
  // A map, as a name may be one that means something to an object: `__proto__`.
  const entries = new Map<string, PropertyEntry>()
  const add = (source: string, values: Readonly<Record<string, Json>>) => {
    for (const [name, value] of Object.entries(values)) entries.set(name, { value, source })
  }
  add('config', from.config.properties)
  for (const change of from.changes) add('Change', change.properties)
  add(scheduler === null ? 'Force' : `Scheduler ${scheduler}`, from.asked)
  add(`Slave ${slave.name}`, slave.properties)
  add(`Builder ${builder.name}`, builder.properties)
  const { branch, revision, repository, project, codebase } = sourceStamp
  add('SourceStamp', { branch, revision, repository, project, codebase })
  add('Build', { buildername: builder.name, buildnumber: from.number, slavename: slave.name, scheduler, owner })
  return Object.fromEntries(entries)
}
