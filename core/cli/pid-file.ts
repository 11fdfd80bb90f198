import { execFileSync } from 'node:child_process'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alreadyRunning, basedirUnusable } from './errors.ts'

/** Who runs in a base directory. */
export interface Running {
  readonly pid: number
  /** When it was started, ms. */
  readonly since: number
}

/**
 * Notes this process as the one that runs in `basedir`; disposing takes the note away. A process number alone may long belong
 * to somebody else, so the file keeps the moment of its start as well, as the system tells it.
 * @throws CiError `BOLT_CLI_RUNNING`, `BOLT_CLI_UNUSABLE`.
 */
export function claimPidFile(basedir: string, name: string): Disposable {
  const path = join(basedir, name)
  const own = `${path}.${process.pid}`
  const text = `${process.pid}\n${startMark(process.pid) ?? ''}\n${Date.now()}\n`
  try {
    writeFileSync(own, text, { mode: 0o644 })
  } catch (error) {
    throw basedirUnusable(basedir, 'written to', error)
  }
  try {
    while (!linkUnlessThere(own, path)) {
      const running = readPidFile(basedir, name)
      if (running) throw alreadyRunning(basedir, running.pid)
      rmSync(path, { force: true }) // of a process that is gone
    }
  } finally {
    rmSync(own, { force: true })
  }
  return {
    [Symbol.dispose]() {
      if (readText(path) === text) rmSync(path, { force: true })
    },
  }
}

/** The process noted in `basedir`, when it still runs. */
export function readPidFile(basedir: string, name: string): Running | undefined {
  const [pidText, mark, since] = (readText(join(basedir, name)) ?? '').split('\n')
  const pid = Number(pidText)
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined
  const now = startMark(pid)
  if (now !== undefined && (mark ?? '') !== now) return undefined
  return { pid, since: Number(since) }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // it is there, but not ours
  }
}

/** Linked, so that the file appears whole or not at all; false when there is one already. */
function linkUnlessThere(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    // A file system without links.
    try {
      writeFileSync(path, readFileSync(own), { flag: 'wx' })
      return true
    } catch (second) {
      if ((second as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw second
    }
  }
}

/** A text that differs between two processes of one number: start time and boot; `undefined` where the system tells nothing. */
function startMark(pid: number): string | undefined {
  const stat = statFields(pid)
  if (stat) return `${stat[19]}@${readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}`
  if (process.platform === 'win32') return undefined
  try {
    const args = ['-o', 'lstart=', '-p', String(pid)]
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined
  } catch {
    return undefined // no ps: the number must do
  }
}

/** A process that ended but was not waited for: in a container nobody may ever do it. */
const isZombie = (pid: number) => statFields(pid)?.[0] === 'Z'

/** Linux: the fields of /proc/PID/stat from the third (state) on; the name before them may hold spaces. */
function statFields(pid: number): readonly string[] | undefined {
  const text = readText(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // not there, or not a system that has it
  }
}
