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
    if (process.connected) await reportStart({ failed: messageOf(error) })
    else printError(error)
    return 1
  }
}

/** The agent runs once it logs that it does; whether its master is there yet is another question. */
function reporting(log: SlaveLog): SlaveLog {
  return {
    ...log,
    info(message, fields) {
      log.info(message, fields)
      if (message === 'slave started') void reportStart({ ready: true })
    },
  }
}
