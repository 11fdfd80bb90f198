import { defineStep } from 'boltbot/plugin-sdk'
import { presetSchema } from './options.ts'
import { outcomeOf, runShell } from './run-shell.ts'

/**
 * Runs `make test`; a failure fails the build, later steps still run.
 * @example test({ command: ['npm', 'test'], maxTime: '30m' })
 */
export const test = defineStep({
  name: 'test',
  schema: presetSchema('make test'),
  flags: { flunkOnFailure: true },
  describe: () => ({ running: ['testing'], done: ['test'] }),
  async run(context, shell) {
    return outcomeOf(await runShell(context, shell), shell)
  },
})
