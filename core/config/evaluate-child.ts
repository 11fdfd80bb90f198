// The entry of the process that checks a config: `evaluate.ts` starts it and waits for its one message.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRedactor } from '../redact.ts'
import { createSecrets } from '../secrets.ts'
import { checkSecrets } from './check-secrets.ts'
import { describeConfig } from './describe.ts'
import type { EvaluationMessage } from './evaluate.ts'
import { createImporter, FIRST_READING } from './importer.ts'
import { readConfig } from './load.ts'
import type { Config } from './model.ts'
import { createPositions } from './positions.ts'
import type { Problem } from './problem.ts'

const file = process.argv[2]!
const { config, problems: found } = await readConfig(createImporter(), file, FIRST_READING)
const problems = config === undefined ? found : missingSecrets(config)
const answer: EvaluationMessage = {
  hash: problems.length > 0 ? '' : config!.hash,
  problems,
  walk: problems.length > 0 ? [] : describeConfig(config!),
}
// What the config left open (timers, sockets) must not keep this process.
process.send!(answer, () => process.exit(problems.length > 0 ? 1 : 0))

/** Only in a base directory: a config elsewhere is checked without its secrets. */
function missingSecrets(config: Config): readonly Problem[] {
  const directory = join(dirname(file), 'secrets')
  if (!existsSync(directory)) return []
  const checkModes = process.platform !== 'win32'
  const secrets = createSecrets({ directory, environment: process.env, redactor: createRedactor(), checkModes })
  return checkSecrets(config, secrets, createPositions(file))
}
