import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { messageOf } from 'boltbot/plugin-sdk'
import { type Basedir, readEnvironmentFile } from './basedir.ts'
import { basedirUnusable, notStarted } from './errors.ts'
import { LEAN } from './lean.ts'

/**
 * Says to the process that it was started as a daemon: it logs to its file and reports once how the start went. Its value names
 * the variables that are for the daemon alone.
 */
const DAEMON_VARIABLE = 'BOLTBOT_DAEMON'

/** What is up: a slave may have a note, a master the address of its pages. */
interface Up {
  readonly note?: string
  readonly url?: string
}

type Report = ({ readonly ready: true } & Up) | { readonly failed: string }

/** Starts what a base directory is for in the background and waits until it is really up. @throws CiError `BOLT_CLI_START`. */
export async function startDaemon(basedir: Basedir): Promise<{ readonly pid: number } & Up> {
  let log: number
  try {
    log = openSync(basedir.logFile, 'a', 0o640)
  } catch (error) {
    throw basedirUnusable(basedir.path, 'written to', error)
  }
  const bin = fileURLToPath(new URL('./boltbot.js', import.meta.url))
  const flags = ['--disable-warning=ExperimentalWarning', ...LEAN.flags, ...process.execArgv]
  const given = { ...process.env, ...readEnvironmentFile(basedir.path) }
  const own = Object.entries(LEAN.environment).filter(([name]) => given[name] === undefined)
  const names = [DAEMON_VARIABLE, ...own.map(([name]) => name)].join(' ')
  const child = spawn(process.execPath, [...flags, bin, 'start', '--nodaemon', basedir.path], {
    cwd: basedir.path,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...given, ...Object.fromEntries(own), [DAEMON_VARIABLE]: names },
    windowsHide: true,
  })
  closeSync(log)
  const report = await Promise.race([
    once(child, 'message').then(([message]) => message as Report), // reportStart sends nothing else
    once(child, 'exit').then(([code, signal]): Report => ({ failed: lastWords(basedir.logFile, code ?? signal) })),
    once(child, 'error').then(([error]): Report => ({ failed: messageOf(error) })),
  ])
  if (child.connected) child.disconnect()
  child.unref()
  if ('failed' in report) throw notStarted(report.failed, basedir.logFile)
  return { pid: child.pid!, ...report }
}

/** True once, in the daemon itself: its own children must not take themselves for one, nor be as lean. */
export function isDaemon(): boolean {
  const names = process.env[DAEMON_VARIABLE]
  for (const name of names?.split(' ') ?? []) delete process.env[name]
  return names !== undefined
}

/** The daemon's word to the command that started it. Does nothing when there is none. */
export async function reportStart(report: Report): Promise<void> {
  if (!process.connected) return
  const heard = once(process, 'disconnect', { signal: AbortSignal.timeout(5000) })
  process.send?.(report)
  await heard.catch(() => {}) // whoever started this is gone: nobody is left to tell
  if (process.connected) process.disconnect?.()
}

/** The last line of the log, for a process that died without a word. */
function lastWords(logFile: string, end: number | string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n')
  const last = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? ''
  return `it ended at once (${end})${last === '' ? '' : `: ${last.slice(0, 300)}`}`
}
