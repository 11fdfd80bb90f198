import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from 'boltbot/plugin-sdk'

/** A process as an agent notes it: its number alone may go to another program later. */
interface Note {
  readonly pid: number
  readonly started: string | null
}

/** The living agent of a base directory, from the note it keeps there; `undefined` when there is none. */
export async function runningAgent(basedir: string): Promise<number | undefined> {
  return (await noteOf(basedir))?.pid
}

async function noteOf(basedir: string): Promise<Note | undefined> {
  try {
    const note = JSON.parse(await readFile(join(basedir, 'agent.pid'), 'utf8')) as Note
    return Number.isSafeInteger(note.pid) && note.pid > 1 && (await lives(note)) ? note : undefined
  } catch {
    return undefined // no note, or not a good one
  }
}

async function lives({ pid, started }: Note): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return started === null || started === (await startOf(pid))
}

const POLL_MS = 50
const PATIENCE_MS = 10_000

/** Asks an agent to end; it ends its commands first. After a while it is killed. */
export async function endAgent(basedir: string, clock: Clock): Promise<void> {
  const note = await noteOf(basedir)
  if (note === undefined) return
  signal(note.pid, 'SIGTERM')
  const deadline = clock.now() + PATIENCE_MS
  while (await lives(note)) {
    if (clock.now() >= deadline) return signal(note.pid, 'SIGKILL')
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
