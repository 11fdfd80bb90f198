import type { PluginInstance } from 'boltbot/plugin-sdk'
import { z } from 'zod'

type Scheduler = PluginInstance<'scheduler'>

/** A scheduler of the config, by object or name. */
export const schedulerSchema = (message: string) => z.custom<Scheduler | string>(isScheduler, message)

/** The name it registers under: its option `name` where it has one, as those of this folder do, else its id. */
export function nameOfScheduler(given: Scheduler | string): string {
  if (typeof given === 'string') return given
  const { name } = given.options as { readonly name?: unknown } // options of any plugin may be asked
  return typeof name === 'string' ? name : given.id
}

function isScheduler(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  if (typeof value !== 'object' || value === null) return false
  const { kind, pluginKind } = value as Partial<PluginInstance> // any object may be asked
  return kind === 'plugin' && pluginKind === 'scheduler'
}
