import { defineStep } from 'boltbot/plugin-sdk'
import { commandWords } from './command-words.ts'
import { shellSchema } from './options.ts'
import { outcomeOf, runShell } from './run-shell.ts'

/**
 * Runs one command on the slave, in the directory `build`. Exit code 0 is a success, any other a failure.
 * @example shellCommand({ command: ['make', 'docs'], description: ['documenting'], timeout: '5m' })
 */
export const shellCommand = defineStep({
  name: 'shell',
  schema: shellSchema,
  flags: { flunkOnFailure: true },
  describe({ command }) {
    const words = commandWords(command)
    return { running: words, done: words }
  },
  async run(context, shell) {
    return outcomeOf(await runShell(context, shell), shell)
  },
})
