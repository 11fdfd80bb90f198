import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from './problem.ts'

/** Says which process is the agent of a base directory. Two of them would end each other's commands. */
const PID_FILE = 'agent.pid'

/** Takes the place; disposing gives it back. @throws Problem when a living agent has it. */
export function claimPidFile(basedir: string): Disposable {
  const path = join(basedir, PID_FILE)
  const text = JSON.stringify({ pid: process.pid, started: startOf(process.pid) })
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, text, { flag: 'wx', mode: 0o644 })
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw error
      const pid = runningAgent(basedir)
      if (pid !== undefined) throw new Problem(`The slave in "${basedir}" already runs, as process ${pid}.`)
      rmSync(path, { force: true }) // of an agent that is gone
    }
  }
  return {
    [Symbol.dispose]() {
      if (read(path) === text) rmSync(path, { force: true })
    },
  }
}

/** The process of the living agent of a base directory. */
function runningAgent(basedir: string): number | undefined {
  try {
    const { pid, started } = JSON.parse(read(join(basedir, PID_FILE)) ?? '') as { pid: number; started: string | null }
    process.kill(pid, 0)
    // The number alone may have gone to another program since.
    return pid !== process.pid && (started === null || started === startOf(pid)) ? pid : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return -1
    return undefined // no such file, not one of ours, or no such process
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // there is none
  }
}

/** When a process was started, as the system counts it; `null` where it does not tell. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
