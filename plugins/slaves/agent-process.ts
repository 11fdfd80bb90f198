import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from 'boltbot/plugin-sdk'
import { LOG_FILE } from './agent-directory.ts'

export interface StartedAgent {
  readonly pid: number | undefined
  /** How it ended, in words; never rejects. */
  readonly gone: Promise<string>
}

/** Starts the agent of a base directory as a process of its own, which outlives the master. It logs to `agent.log` there. */
export function startAgent(basedir: string): StartedAgent {
  const output = openSync(join(basedir, LOG_FILE), 'a', 0o600)
  try {
    const child = spawn(process.execPath, [...FLAGS, AGENT, basedir], {
      cwd: basedir,
      detached: true, // a session of its own: what ends the master's session spares it
      windowsHide: true,
      stdio: ['ignore', output, output],
      env: withoutSecrets(process.env),
    })
    child.unref()
    const gone = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`it could not be started: ${error.message}`))
      child.once('exit', (code, signal) =>
        resolve(signal === null ? `it exited with ${code}` : `it was ended by ${signal}`),
      )
    })
    return { pid: child.pid, gone }
  } finally {
    closeSync(output)
  }
}

const AGENT = fileURLToPath(new URL('../../slave/boltbot-slave.js', import.meta.url))

/** As `boltbot start` runs one: a young generation that grew would be copied with each command that it starts. */
const FLAGS = ['--max-semi-space-size=2']

/** Commands of builds see the environment of their slave: the master's secrets do not belong there. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('BOLTBOT_SECRET_')))
}

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
