import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type Agent, createAgent } from './agent.ts'
import { createBuildbotWorker } from './buildbot/worker.ts'
import { createSlaveClock, type SlaveClock } from './clock.ts'
import { type Connector, createConnector } from './connector.ts'
import { createSlaveLog, type SlaveLog } from './log.ts'
import { claimPidFile } from './pid-file.ts'
import { Problem, reasonOf } from './problem.ts'
import { readSettings, type SlaveSettings } from './settings.ts'
import { createSpool } from './spool.ts'

export interface RunSlaveOptions {
  /** Holds `slave.json`, the password file and `info/`; builders get their directories here. */
  readonly basedir: string
  /** Aborting it ends the agent as SIGTERM does. Without it SIGTERM and SIGINT are taken here. */
  readonly signal?: AbortSignal
  /** Default: JSON lines on stderr. */
  readonly log?: SlaveLog
}

/**
 * Runs the agent of a base directory until it is told to stop: by a signal, or by its master. Resolves when its commands are ended.
 * A link that cannot be had, or is lost, is tried again for ever.
 * @throws Problem, one sentence for people, when the base directory is not usable.
 */
export async function runSlave(options: RunSlaveOptions): Promise<void> {
  const clock = createSlaveClock()
  const log = options.log ?? createSlaveLog((line) => void process.stderr.write(line), clock.now)
  const basedir = await realpath(options.basedir).catch((error: unknown) => {
    throw new Problem(`The base directory "${options.basedir}" cannot be read: ${reasonOf(error)}.`)
  })
  const settings = await readSettings(basedir)
  await readPassword(settings) // told now, not at each attempt
  const ca = settings.caFile === undefined ? undefined : await readFile(settings.caFile, 'utf8')
  using stack = new DisposableStack()
  stack.use(claimPidFile(basedir))
  if (settings.umask !== undefined) process.umask(settings.umask)

  const { promise: stopped, resolve: stop } = Promise.withResolvers<string>()
  if (settings.protocol === 'buildbot') {
    const worker = createBuildbotWorker({
      ...settings,
      password: () => readPassword(settings),
      random: Math.random,
      log,
      info: async () => ({
        admin: await readInfo(basedir, 'admin'),
        host: await readInfo(basedir, 'host'),
        program: await ownVersion(),
      }),
      surroundings: {
        directory: basedir,
        environment: { ...process.env },
        platform: process.platform,
        usePty: settings.usePty,
        clock,
      },
      shutdown: () => stop('its master told it to'),
    })
    stack.adopt(onStop(options.signal, stop), (off) => off())
    log.info('slave started', { basedir, name: settings.name, url: settings.url, pid: process.pid })
    worker.start()
    await worker.stop(await stopped)
    log.info('slave stopped')
    return
  }
  let leaving: string | undefined
  const spool = createSpool({ directory: join(basedir, 'spool') })
  const agent: Agent = createAgent({
    basedir,
    clock,
    log,
    spool,
    environment: { ...process.env },
    platform: process.platform,
    usePty: settings.usePty,
    shutdown: () => stop('its master told it to'),
  })
  await agent.recover()
  const program = await ownVersion()
  const instance = await spool.instance()
  const connector = createConnector({
    url: settings.url,
    name: settings.name,
    password: () => readPassword(settings),
    ca,
    keepalive: settings.keepalive,
    maxdelay: settings.maxdelay,
    clock,
    random: Math.random,
    log,
    info: async () => ({
      admin: await readInfo(basedir, 'admin'),
      host: await readInfo(basedir, 'host'),
      program,
      instance,
    }),
    held: () => agent.held,
    take: (message, send) => agent.take(message, send),
    unlinked: () => agent.unlink(),
    linked() {
      if (leaving !== undefined) connector.send({ t: 'leave', reason: leaving })
    },
  })
  stack.adopt(
    onLeave(options.signal, (reason) => {
      leaving = reason
      log.info('leaves when it has finished', { reason })
      if (connector.lonelySince !== undefined && agent.idle) stop(reason)
      else connector.send({ t: 'leave', reason })
    }),
    (off) => off(),
  )
  stack.adopt(onStop(options.signal, stop), (off) => off())
  stack.use(watchOrphan(settings, clock, agent, connector, stop))
  log.info('slave started', { basedir, name: settings.name, url: settings.url, pid: process.pid })
  connector.start()

  const reason = await stopped
  log.info('slave stopping', { reason })
  // The link first: what is ended now did not fail, its build shall be tried again.
  await connector.stop(`the slave is stopped: ${reason}`)
  await agent.stop(reason)
  log.info('slave stopped')
}

/** Calls `stop` on SIGTERM and SIGINT, or when the caller's signal aborts. Returns what takes that back. */
function onStop(signal: AbortSignal | undefined, stop: (reason: string) => void): () => void {
  if (signal) {
    const abort = () => stop(reasonOf(signal.reason))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    return () => signal.removeEventListener('abort', abort)
  }
  const names = ['SIGTERM', 'SIGINT'] as const
  const caught = (name: string) => stop(`it got ${name}`)
  for (const name of names) process.on(name, caught)
  return () => {
    for (const name of names) process.off(name, caught)
  }
}

/** Calls `leave` on SIGHUP: it shall finish what it does, and then exit. Returns what takes that back. */
function onLeave(signal: AbortSignal | undefined, leave: (reason: string) => void): () => void {
  if (signal) return () => {} // the caller's own signals are the caller's
  const caught = () => leave('it got SIGHUP')
  process.on('SIGHUP', caught)
  return () => void process.off('SIGHUP', caught)
}

/** An agent that a master started for itself does not outlive it for long, unless it has something to do. */
function watchOrphan(
  { orphanAfter }: SlaveSettings,
  clock: SlaveClock,
  agent: Agent,
  connector: Connector,
  stop: (reason: string) => void,
): Disposable {
  let timer: Disposable | undefined
  const look = (after: number) => {
    const { lonelySince } = connector
    if (lonelySince !== undefined && clock.now() - lonelySince >= after && agent.idle)
      stop('its master does not come back')
    else timer = clock.timer(Math.max(after / 4, 10), () => look(after))
  }
  if (orphanAfter !== undefined) look(orphanAfter)
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
}

async function readPassword({ passwordFile }: SlaveSettings): Promise<string> {
  try {
    const text = (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '')
    if (text !== '') return text
  } catch (error) {
    throw new Problem(`The password file "${passwordFile}" cannot be read: ${reasonOf(error)}.`)
  }
  throw new Problem(`The password file "${passwordFile}" is empty.`)
}

/** `info/admin` and `info/host`: who looks after this machine, and what it is. */
async function readInfo(basedir: string, name: string): Promise<string | null> {
  try {
    return (await readFile(join(basedir, 'info', name), 'utf8')).trim().slice(0, 4000)
  } catch {
    return null // nobody wrote it
  }
}

async function ownVersion(): Promise<string | null> {
  try {
    const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
    return `boltbot ${(JSON.parse(text) as { version: string }).version}`
  } catch {
    return null // it runs without its package
  }
}

/** The program: runs the agent of a slave directory to its end; gives the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const [basedir] = words
  if (words.length !== 1 || basedir === undefined || basedir.startsWith('-')) {
    process.stderr.write('Usage: node slave/boltbot-slave.js BASEDIR\n')
    return 2
  }
  try {
    await runSlave({ basedir })
    return 0
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`)
    return 1
  }
}
