import { messageOf } from 'boltbot/plugin-sdk'
import { createSlaveLog, type SlaveLog } from '../../slave/log.ts'
import { runSlave as runAgent } from '../../slave/main.ts'
import type { Basedir } from './basedir.ts'
import { isDaemon, reportStart } from './daemon.ts'
import { openLogFile } from './log-file.ts'
import { printError } from './output.ts'
import { claimPidFile } from './pid-file.ts'

/** Runs the slave of a base directory until it is told to stop; resolves with the exit code. */
export async function runSlave(basedir: Basedir): Promise<number> {
  try {
    return await run(basedir)
  } catch (error) {
    // By now all is taken down: who hears of it may start anew at once.
    if (process.connected) await reportStart({ failed: messageOf(error) })
    else printError(error)
    return 1
  }
}

async function run(basedir: Basedir): Promise<number> {
  using stack = new DisposableStack()
  const file = isDaemon() ? stack.use(openLogFile({ path: basedir.logFile })) : undefined
  const write = file ? (line: string) => file.write(line.trimEnd()) : (line: string) => void process.stderr.write(line)
  const log = createSlaveLog(write, Date.now)
  try {
    stack.use(claimPidFile(basedir.path, basedir.pidFile))
    await runAgent({ basedir: basedir.path, log: reporting(log) })
    return 0
  } catch (error) {
    log.error('slave failed', { error })
    throw error
  }
}

/** How long the first word about the link is waited for. */
const FIRST_LINK_MS = 3000

/**
 * The agent runs once it logs that it does. Whether its master takes it is another question, but whoever starts it wants to know:
 * the first word about it goes along, if it comes soon.
 */
function reporting(log: SlaveLog): SlaveLog {
  const tell = (note?: string) => void reportStart({ ready: true, ...(note !== undefined && { note }) })
  return {
    ...log,
    info(message, fields) {
      log.info(message, fields)
      if (message === 'slave started') setTimeout(tell, FIRST_LINK_MS).unref()
      if (message === 'linked to the master') tell(`It is linked to the master at ${fields?.url}.`)
    },
    warn(message, fields) {
      log.warn(message, fields)
      if (message === 'no link to the master')
        tell(`It has no link to the master at ${fields?.url} yet, and goes on trying: ${fields?.reason}`)
    },
  }
}
