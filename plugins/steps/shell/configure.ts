import { defineStep } from 'boltbot/plugin-sdk'
import { presetSchema } from './options.ts'
import { outcomeOf, runShell } from './run-shell.ts'

/**
 * Runs `./configure`; a failure ends the build.
 * @example configure({ command: ['./configure', '--prefix=/opt/hello'] })
 */
export const configure = defineStep({
  name: 'configure',
  schema: presetSchema('./configure'),
  flags: { flunkOnFailure: true, haltOnFailure: true },
  describe: () => ({ running: ['configuring'], done: ['configure'] }),
  async run(context, shell) {
    return outcomeOf(await runShell(context, shell), shell)
  },
})
