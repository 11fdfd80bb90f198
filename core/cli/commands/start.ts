import { Command } from 'commander'
import { type Basedir, openBasedir } from '../basedir.ts'
import { startDaemon } from '../daemon.ts'
import { alreadyRunning } from '../errors.ts'
import { runInFront } from '../in-front.ts'
import { print } from '../output.ts'
import { readPidFile } from '../pid-file.ts'

export function startCommand(): Command {
  return new Command('start')
    .description('start a master or a slave in the background')
    .argument('<basedir>', 'made by "boltbot master" or "boltbot slave"')
    .option('--nodaemon', 'stay in front and log to the terminal')
    .addHelpText('after', '\nExample:\n  $ boltbot start ci')
    .action(async (given: string, { nodaemon }: { nodaemon?: true }) => {
      const basedir = openBasedir(given)
      if (nodaemon) process.exit(await runInFront(basedir))
      await start(basedir)
    })
}

/** Starts in the background, and says so. */
export async function start(basedir: Basedir): Promise<void> {
  const running = readPidFile(basedir.path, basedir.pidFile)
  if (running) throw alreadyRunning(basedir.path, running.pid)
  const { pid, note, url } = await startDaemon(basedir)
  const at = [`process ${pid}`, url].filter((word) => word !== undefined).join(', ')
  print(`The ${basedir.kind} in "${basedir.path}" runs (${at}). It logs to "${basedir.logFile}".`)
  if (note !== undefined) print(note)
}
