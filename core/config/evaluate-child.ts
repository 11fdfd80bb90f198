// The entry of the process that checks a config: `evaluate.ts` starts it and waits for its one message.
import { describeConfig } from './describe.ts'
import type { EvaluationMessage } from './evaluate.ts'
import { createImporter } from './importer.ts'
import { readConfig } from './load.ts'

const { config, problems } = await readConfig(createImporter(), process.argv[2]!)
const answer: EvaluationMessage = {
  hash: config?.hash ?? '',
  problems,
  walk: config === undefined ? [] : describeConfig(config),
}
// What the config left open (timers, sockets) must not keep this process.
process.send!(answer, () => process.exit(problems.length > 0 ? 1 : 0))
