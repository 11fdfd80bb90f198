import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { StopHow } from '../../running-builds.ts'
import { type Basedir, openBasedir } from '../basedir.ts'
import { callMaster } from '../control-client.ts'
import { badArgument, notRunning, notStopped } from '../errors.ts'
import { print, whoAmI } from '../output.ts'
import { isAlive, readPidFile } from '../pid-file.ts'

const PATIENCE_SECONDS = 60

export function stopCommand(): Command {
  return new Command('stop')
    .description('stop a master or a slave, and wait until it is gone')
    .argument('<basedir>', 'made by "boltbot master" or "boltbot slave"')
    .option('--force', 'end it at once, without letting it finish anything')
    .option('--wait', 'let a master finish its running builds first')
    .option('--cancel-builds', 'have a master stop its running builds first')
    .option('--graceful', 'let a slave finish what it runs; returns at once')
    .addHelpText('after', '\nExample:\n  $ boltbot stop ci')
    .action(async (given: string, options: Options) => {
      const basedir = openBasedir(given)
      if (options.graceful) return letGo(basedir)
      const pid = await stop(basedir, options.force === true, buildsOf(basedir, options))
      if (pid === undefined) throw notRunning(basedir.path)
      print(`The ${basedir.kind} in "${basedir.path}" is stopped.`)
    })
}

interface Options {
  readonly force?: true
  readonly wait?: true
  readonly cancelBuilds?: true
  readonly graceful?: true
}

function buildsOf(basedir: Basedir, { wait, cancelBuilds, force }: Options): StopHow {
  if (!wait && !cancelBuilds) return 'leave'
  const option = wait ? '--wait' : '--cancel-builds'
  if (basedir.kind !== 'master') throw badArgument('directory', basedir.path, `that of a master for ${option}`)
  if (force) throw badArgument('option', option, 'left out with --force')
  if (wait && cancelBuilds) throw badArgument('option', option, 'left out with --cancel-builds')
  return wait ? 'wait' : 'cancel'
}

/** Asks a slave to have its master give it nothing more, and to exit then. */
function letGo(basedir: Basedir): void {
  if (basedir.kind !== 'slave') throw badArgument('directory', basedir.path, 'that of a slave for --graceful')
  if (process.platform === 'win32') throw badArgument('option', '--graceful', 'left out on Windows; ask the master')
  const running = readPidFile(basedir.path, basedir.pidFile)
  if (!running) throw notRunning(basedir.path)
  process.kill(running.pid, 'SIGHUP')
  print(`The slave in "${basedir.path}" exits when it has finished what it runs.`)
}

/** Gives the process that was stopped; `undefined`: none ran. @throws CiError `BOLT_CLI_STOP`. */
export async function stop(basedir: Basedir, force: boolean, builds: StopHow = 'leave'): Promise<number | undefined> {
  const running = readPidFile(basedir.path, basedir.pidFile)
  if (!running) return undefined
  if (force) process.kill(running.pid, 'SIGKILL')
  // Windows has no SIGTERM: there it would end the process at once.
  else if (basedir.kind === 'master' && (process.platform === 'win32' || builds !== 'leave'))
    await callMaster(basedir.path, 'stop', { who: whoAmI(), reason: 'boltbot stop', builds })
  else process.kill(running.pid, 'SIGTERM')
  for (let left = PATIENCE_SECONDS * 20; isAlive(running.pid); left--) {
    // Builds may take hours.
    if (left === 0 && builds !== 'wait') throw notStopped(running.pid, PATIENCE_SECONDS)
    await sleep(50)
  }
  return running.pid
}
