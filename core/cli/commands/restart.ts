import { Command } from 'commander'
import { openBasedir } from '../basedir.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'

export function restartCommand(): Command {
  return new Command('restart')
    .description('stop a master or a slave, if it runs, and start it')
    .argument('<basedir>')
    .option('--force', 'end it at once, without letting it finish anything')
    .addHelpText('after', '\nExample:\n  $ boltbot restart ci')
    .action(async (given: string, { force }: { force?: true }) => {
      const basedir = openBasedir(given)
      await stop(basedir, force === true)
      await start(basedir)
    })
}
