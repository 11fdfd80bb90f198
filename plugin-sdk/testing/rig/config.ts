import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkConfig } from '../../../core/config/check.ts'
import type { Config } from '../../../core/config/model.ts'
import { createPositions } from '../../../core/config/positions.ts'
import { formatProblems } from '../../../core/config/problem.ts'
import { defineMaster, type MasterConfig } from '../../config.ts'
import type { PluginInstance, PluginKind } from '../../plugin.ts'
import type { Stage } from '../../stage.ts'
import { configRefused } from '../errors.ts'

/**
 * A config as core works with it, for a master in memory: scripted slaves take the place of its transports, the stage that of mail and
 * IRC servers, pages are served on a free port of this machine, and plugins run in this
 * process, whatever their isolation: a thread would know nothing of the rig's clock. @throws CiError `BOLT_TESTING_CONFIG` with its problems.
 */
export function rigConfig(
  { options }: MasterConfig,
  transport: PluginInstance<'slave'>,
  own: readonly PluginInstance[],
  stage: Stage,
): Config {
  const staged = <Kind extends PluginKind>(plugins: readonly PluginInstance<Kind>[] = []) =>
    plugins.map((plugin) => onStage(plugin, stage))
  const exported = defineMaster({
    ...options,
    transports: [transport],
    sources: staged(options.sources),
    status: staged(options.status),
    plugins: [...staged(options.plugins), ...own],
    ...(options.http && { http: { ...options.http, port: 0, host: '127.0.0.1' } }),
  })
  const file = join(tmpdir(), 'boltbot-rig', 'rig.cfg.ts') // in a folder of its own: what stands beside it counts as its code
  const { config, problems } = checkConfig(file, { exported, hashOf: () => 'rig' }, createPositions(file))
  if (config === undefined) throw configRefused(formatProblems(problems))
  return { ...config, plugins: config.plugins.map((spec) => ({ ...spec, worker: null })) }
}

/** What is not a plugin is the check's to tell. */
function onStage<Kind extends PluginKind>(plugin: PluginInstance<Kind>, stage: Stage): PluginInstance<Kind> {
  const definition = (plugin as Partial<PluginInstance<Kind>> | undefined)?.definition
  if (definition?.onStage === undefined) return plugin
  return { ...plugin, definition: { ...definition, ...definition.onStage(stage) } }
}
