import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from 'boltbot/plugin-sdk'

/** The living agent of a base directory, from the note it keeps there; `undefined` when there is none. */
export async function runningAgent(basedir: string): Promise<number | undefined> {
  try {
    const note = JSON.parse(await readFile(join(basedir, 'agent.pid'), 'utf8')) as {
      pid: number
      started: string | null
    }
    if (!Number.isSafeInteger(note.pid) || note.pid <= 1) return undefined
    process.kill(note.pid, 0)
    // The number alone may have gone to another program since.
    const started = await startOf(note.pid)
    return note.started === null || started === note.started ? note.pid : undefined
  } catch {
    return undefined // no note, not a good one, or no such process
  }
}

const POLL_MS = 50
const PATIENCE_MS = 10_000

/** Asks an agent to end; it ends its commands first. After a while it is killed. */
export async function endAgent(basedir: string, clock: Clock): Promise<void> {
  const pid = await runningAgent(basedir)
  if (pid === undefined) return
  signal(pid, 'SIGTERM')
  const deadline = clock.now() + PATIENCE_MS
  while ((await runningAgent(basedir)) === pid) {
    if (clock.now() >= deadline) return signal(pid, 'SIGKILL')
    await clock.sleep(POLL_MS)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone, which is what was wanted.
  }
}

async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? '' : (fields[19] ?? null)
  } catch {
    return null // the system does not tell
  }
}
