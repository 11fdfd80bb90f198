// The entry of the process that checks a config: `evaluate.ts` starts it and waits for its one message.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SecretRef } from 'boltbot/plugin-sdk'
import { applyPlugins } from '../plan/apply-plugins.ts'
import { createRedactor } from '../redact.ts'
import { createSecrets } from '../secrets.ts'
import type { Accepted } from './check.ts'
import { checkSecrets } from './check-secrets.ts'
import { describeConfig } from './describe.ts'
import type { EvaluationMessage } from './evaluate.ts'
import { createImporter, FIRST_READING } from './importer.ts'
import { readConfig } from './load.ts'
import { createPositions } from './positions.ts'
import type { Problem } from './problem.ts'

const file = process.argv[2]!
const checked = await readConfig(createImporter(), file, FIRST_READING)
const problems = checked.config === undefined ? checked.problems : problemsInUse(checked)
const isGood = checked.config !== undefined && problems.length === 0
const answer: EvaluationMessage = {
  hash: isGood ? checked.config.hash : '',
  problems,
  walk: isGood ? describeConfig(checked.config) : [],
}
// What the config left open (timers, sockets) must not keep this process.
process.send!(answer, () => process.exit(isGood ? 0 : 1))

/** What a config without problems shows when it is used: secrets that are not there, plugins that fail in `apply`. */
function problemsInUse(accepted: Accepted): readonly Problem[] {
  const directory = join(dirname(file), 'secrets')
  const redactor = createRedactor()
  const checkModes = process.platform !== 'win32'
  const secrets = createSecrets({ directory, environment: process.env, redactor, checkModes })
  const positions = createPositions(file)
  // Only a base directory has them: a config elsewhere is checked without.
  const hasSecrets = existsSync(directory)
  const missing = hasSecrets ? checkSecrets(accepted.config, secrets, positions) : []
  if (missing.length > 0) return missing

  // A running master lives on when what `apply` left behind rejects or throws later.
  process.on('unhandledRejection', () => {})
  process.on('uncaughtException', () => {})
  Error.stackTraceLimit = 100 // the place in the plugin may be far out, below the parsers and schemas of others
  const secretOf = (secret: string | SecretRef) => {
    try {
      return secrets.resolve(secret)
    } catch (error) {
      if (hasSecrets) throw error
      return undefined
    }
  }
  const found = applyPlugins(accepted, { positions, secretOf })
  return found.map((problem) => ({ ...problem, message: redactor.text(problem.message) }))
}
