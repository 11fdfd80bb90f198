import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkConfig } from '../../../core/config/check.ts'
import type { Config, PluginSpec } from '../../../core/config/model.ts'
import { createPositions } from '../../../core/config/positions.ts'
import { formatProblems } from '../../../core/config/problem.ts'
import { defineMaster, type MasterConfig } from '../../config.ts'
import type { PluginInstance, PluginKind } from '../../plugin.ts'
import type { Stage } from '../../stage.ts'
import { configRefused } from '../errors.ts'

/**
 * A config as core works with it, for a master in memory: scripted slaves take the place of its transports, the stage that of mail and
 * IRC servers, pages are served on a free port of this machine, and plugins run in this
 * process, unless `workers` says otherwise. @throws CiError `BOLT_TESTING_CONFIG` with its problems.
 */
export function rigConfig(
  { options }: MasterConfig,
  transport: PluginInstance<'slave'>,
  own: readonly PluginInstance[],
  stage: Stage,
  workers: boolean,
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
  return { ...config, plugins: config.plugins.map((spec) => (workers ? inThread(spec) : { ...spec, worker: null })) }
}

/** Its code is what is on the disk: no file counts as the config's own. */
function inThread(spec: PluginSpec): PluginSpec {
  if (spec.worker === null) return spec
  const nowhere = join(tmpdir(), 'boltbot-rig', 'none')
  return { ...spec, codeHash: '', worker: { ...spec.worker, folder: nowhere, copy: nowhere } }
}

/** In this process, where the stage is. What is not a plugin is the check's to tell. */
function onStage<Kind extends PluginKind>(plugin: PluginInstance<Kind>, stage: Stage): PluginInstance<Kind> {
  const definition = (plugin as Partial<PluginInstance<Kind>> | undefined)?.definition
  if (definition?.onStage === undefined) return plugin
  return { ...plugin, isolation: 'none', definition: { ...definition, ...definition.onStage(stage) } }
}
