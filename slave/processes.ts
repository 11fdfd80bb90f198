import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'

/** The variable that marks what a command has started: children inherit it, wherever they go. */
export const MARK = 'BOLTBOT_MARK'

/** `mark` behind those that the environment has already: an agent may itself run in a command of another. */
export function withMark(inherited: string | undefined, mark: string): string {
  return inherited ? `${inherited};${mark}` : mark
}

/** A command's processes: its own group, its descendants, and whoever bears its mark, even with a session of its own. */
export interface ProcessTree {
  /** Sends a signal to all that are there; resolves with how many there were. */
  signal(name: 'SIGTERM' | 'SIGKILL'): Promise<number>
  /** How many are there. */
  count(): Promise<number>
}

export function createProcessTree(pid: number, mark: string, platform: NodeJS.Platform): ProcessTree {
  if (platform === 'win32')
    return { signal: async (name) => ((await taskkill(pid, name)) ? 1 : 0), count: async () => (isThere(pid) ? 1 : 0) }
  return {
    async signal(name) {
      const members = await membersOf(pid, mark)
      kill(-pid, name)
      for (const member of members) kill(member, name)
      return members.length
    },
    count: async () => (await membersOf(pid, mark)).length,
  }
}

/** Kills all processes whose mark contains `mark`; for what an earlier run of the agent left behind. Resolves with how many. */
export async function killMarked(mark: string): Promise<number> {
  const killed = new Set<number>()
  for (let round = 0; round < 20; round++) {
    const marked = (await list()).filter((entry) => entry.mark?.includes(mark) && entry.pid !== process.pid)
    if (marked.length === 0) break
    for (const { pid } of marked) {
      kill(pid, 'SIGKILL')
      killed.add(pid)
    }
  }
  return killed.size
}

interface Entry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly mark: string | undefined
}

async function membersOf(root: number, mark: string): Promise<readonly number[]> {
  const entries = await list()
  const members = new Set<number>()
  for (const entry of entries)
    if (entry.pid === root || entry.group === root || entry.mark?.includes(mark)) members.add(entry.pid)
  for (let grown = true; grown; ) {
    grown = false
    for (const { pid, parent } of entries) {
      if (members.has(pid) || !members.has(parent)) continue
      members.add(pid)
      grown = true
    }
  }
  members.delete(process.pid)
  return [...members]
}

/** All processes that are not dead; the marks only where the system shows the environment of processes, and only of ours. */
async function list(): Promise<readonly Entry[]> {
  try {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    if (pids.length > 0) return (await Promise.all(pids.map(readEntry))).filter((entry) => entry !== undefined)
  } catch {
    // No /proc here: ask ps.
  }
  return await askPs()
}

async function readEntry(pid: string): Promise<Entry | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name stands in brackets and may contain anything, also brackets.
    const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return undefined
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '') // of another user
    const mark = `\0${environment}`.split(`\0${MARK}=`)[1]?.split('\0')[0]
    return { pid: Number(pid), parent: Number(parent), group: Number(group), mark }
  } catch {
    return undefined // gone meanwhile
  }
}

function askPs(): Promise<readonly Entry[]> {
  return new Promise((resolve) => {
    execFile('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => {
      if (error) return resolve([])
      const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/))
      const alive = rows.filter((row) => row.length >= 4 && !row[3]!.startsWith('Z'))
      resolve(
        alive.map(([pid, parent, group]) => ({
          pid: Number(pid),
          parent: Number(parent),
          group: Number(group),
          mark: undefined,
        })),
      )
    })
  })
}

function taskkill(pid: number, name: string): Promise<boolean> {
  const words = ['/PID', String(pid), '/T', ...(name === 'SIGKILL' ? ['/F'] : [])]
  return new Promise((resolve) => void execFile('taskkill', words, (error) => resolve(error === null)))
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It is gone, which is what was asked for.
  }
}
