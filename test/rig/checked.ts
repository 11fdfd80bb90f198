import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineMaster, type MasterConfig } from 'boltbot/plugin-sdk'
import { checkConfig } from '../../core/config/check.ts'
import type { Config } from '../../core/config/model.ts'
import { createPositions } from '../../core/config/positions.ts'
import { formatProblems } from '../../core/config/problem.ts'

/** A config as core works with it. @throws Error with its problems. */
export function checked(options: Partial<MasterConfig['options']>, hash = 'rig'): Config {
  const exported = defineMaster({ projectName: 'Rig', ...options } as Parameters<typeof defineMaster>[0])
  const file = join(tmpdir(), 'boltbot-rig', 'rig.cfg.ts') // in a folder of its own: what stands beside it counts as its code
  const result = checkConfig(file, { exported, hashOf: () => hash }, createPositions(file))
  if (result.config === undefined) throw new Error(formatProblems(result.problems))
  return result.config
}
