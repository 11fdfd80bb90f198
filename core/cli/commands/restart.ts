import { Command } from 'commander'
import { configProblems } from '../../config/errors.ts'
import { checkInFreshProcess } from '../../config/evaluate.ts'
import { type Basedir, openBasedir, readEnvironmentFile } from '../basedir.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'

export function restartCommand(): Command {
  return new Command('restart')
    .description('stop a master or a slave, if it runs, and start it')
    .argument('<basedir>', 'made by "boltbot master" or "boltbot slave"')
    .option('--force', 'end it at once, without letting it finish anything')
    .addHelpText('after', '\nExample:\n  $ boltbot restart ci')
    .action(async (given: string, { force }: { force?: true }) => {
      const basedir = openBasedir(given)
      await checkFirst(basedir)
      await stop(basedir, force === true)
      await start(basedir)
    })
}

/** What runs is not stopped for a config that could not be started. */
async function checkFirst({ kind, file, path }: Basedir): Promise<void> {
  if (kind === 'slave') return
  const { problems } = await checkInFreshProcess(file, { environment: readEnvironmentFile(path) })
  if (problems.length > 0) throw configProblems(file, problems)
}
