import { CiError, messageOf, originOf, type Secrets } from 'boltbot/plugin-sdk'
import type { Config } from './model.ts'
import type { Positions } from './positions.ts'
import type { Problem } from './problem.ts'
import { createReporter } from './report.ts'
import { secretsUsed } from './secrets-used.ts'

/** The secrets that a good config names and that cannot be read: each would be found only when it is used, perhaps at night. */
export function checkSecrets(config: Config, secrets: Secrets, positions: Positions): readonly Problem[] {
  const { report, problems } = createReporter(positions)
  for (const ref of secretsUsed(config)) {
    try {
      secrets.resolve(ref)
    } catch (error) {
      report({ label: `secret "${ref.name}"`, stack: originOf(ref), base: [] }, [0], sentenceOf(error))
    }
  }
  return problems
}

/** With what to do, as problems of a config say it. */
function sentenceOf(error: unknown): string {
  const hint = error instanceof CiError ? error.hint : undefined
  return hint === undefined ? messageOf(error) : `${messageOf(error)} ${hint}`
}
