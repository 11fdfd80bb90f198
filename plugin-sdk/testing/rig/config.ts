import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkConfig } from '../../../core/config/check.ts'
import type { Config } from '../../../core/config/model.ts'
import { createPositions } from '../../../core/config/positions.ts'
import { formatProblems } from '../../../core/config/problem.ts'
import { defineMaster, type MasterConfig } from '../../config.ts'
import type { PluginInstance } from '../../plugin.ts'
import { configRefused } from '../errors.ts'

/**
 * A config as core works with it, for a master in memory: scripted slaves take the place of its transports, pages are served on a
 * free port of this machine. @throws CiError `BOLT_TESTING_CONFIG` with its problems.
 */
export function rigConfig(
  { options }: MasterConfig,
  transport: PluginInstance<'slave'>,
  recorder: PluginInstance,
): Config {
  const exported = defineMaster({
    ...options,
    transports: [transport],
    plugins: [...(options.plugins ?? []), recorder],
    ...(options.http && { http: { ...options.http, port: 0, host: '127.0.0.1' } }),
  })
  const file = join(tmpdir(), 'boltbot-rig', 'rig.cfg.ts') // in a folder of its own: what stands beside it counts as its code
  const { config, problems } = checkConfig(file, { exported, hashOf: () => 'rig' }, createPositions(file))
  if (config === undefined) throw configRefused(formatProblems(problems))
  return config
}
