import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from 'boltbot/plugin-sdk'
import { openLogFile } from '../log-file.ts'
import { oneLine } from '../output.ts'
import { readStandardInput } from '../standard-input.ts'
import { type Drained, drain } from './drain.ts'
import { type HookQueue, openHookQueue } from './queue.ts'
import { ROOMS } from './rooms.ts'
import { type HookSettings, readSettings } from './settings.ts'

/** Seconds a commit waits for the master at most. */
const TIMEOUT = 5
const BACKGROUND_TIMEOUT = 900
const MAX_LOG = 1_000_000

/**
 * What a hook does: keeps what it was told, then tries to send it. Whatever goes wrong is a line on stderr and in the log; a commit
 * never fails by it.
 */
export async function runHook(system: string, args: readonly string[], given: HookSettings & Place): Promise<void> {
  try {
    const room = await ROOMS[system]!()
    const call = {
      args,
      env: process.env,
      cwd: process.cwd(),
      now: Date.now(),
      stdin: () => readStandardInput().toString(),
    }
    const report = room.report(call)
    if (report === null) return
    const { home, ...told } = report
    const folder = given.folder ?? join(home, 'boltbot')
    const queue = openHookQueue(folder)
    queue.put({ kind: system, ...told })
    if (room.isWhole !== undefined) return inBackground(folder, given)
    const { problem, isLate } = await drainWithin(folder, queue, given, TIMEOUT)
    if (problem === null) return
    if (isLate) return inBackground(folder, given)
    complain(`what was committed waits for the master: ${problem} Its log is "${join(folder, 'hook.log')}".`)
  } catch (error) {
    complain(`the master was not told of this commit: ${messageOf(error)}`)
  }
}

export interface Place {
  /** Where the queue is; else in the repository. */
  readonly folder?: string | undefined
}

/** Sends what waits. */
export async function drainWithin(
  folder: string,
  queue: HookQueue,
  given: HookSettings,
  seconds: number,
  isPatient = false,
): Promise<Drained> {
  using stack = new DisposableStack()
  const write = openLog(folder, stack)
  let settings: HookSettings
  try {
    settings = readSettings(folder, given)
  } catch (error) {
    write(messageOf(error))
    return { sent: 0, refused: 0, problem: messageOf(error), isLate: false }
  }
  const signal = AbortSignal.timeout(1000 * (given.timeout ?? settings.timeout ?? seconds))
  const drained = await drain({ folder, queue, settings, log: write, signal, isPatient })
  if (drained.problem !== null) write(drained.problem)
  return drained
}

/** The log is a help, and no reason to lose a commit. */
function openLog(folder: string, stack: DisposableStack): (text: string) => void {
  try {
    const log = stack.use(openLogFile({ path: join(folder, 'hook.log'), maxBytes: MAX_LOG, keep: 1 }))
    return (text) => log.write(`${new Date().toISOString()} ${oneLine(text)}`)
  } catch {
    return () => {}
  }
}

/** Goes on after the hook has ended, with what the hook was given. */
function inBackground(folder: string, given: HookSettings & Place): void {
  const { passwd, secret, folder: _, timeout: __, ...rest } = given
  const words = Object.entries(rest).flatMap(([name, value]) =>
    [value ?? []]
      .flat()
      .flatMap((one) => [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, `${one}`]),
  )
  const hidden = passwd ?? secret // others may read command lines
  const bin = fileURLToPath(new URL('../boltbot.js', import.meta.url))
  const args = [
    ...process.execArgv,
    bin,
    'hook',
    'flush',
    folder,
    '--background',
    `--timeout=${BACKGROUND_TIMEOUT}`,
    ...words,
  ]
  const env = { ...process.env, ...(hidden !== undefined && { BOLTBOT_HOOK_SECRET: hidden }) }
  spawn(process.execPath, args, { cwd: folder, detached: true, stdio: 'ignore', env, windowsHide: true }).unref()
}

function complain(text: string): void {
  process.stderr.write(`boltbot: ${oneLine(text)}\n`)
}
