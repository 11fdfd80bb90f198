import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { CiError, type Log, messageOf } from 'boltbot/plugin-sdk'
import type { ProgramActs } from '../chat/command.ts'
import { createClock } from '../clock.ts'
import { configProblems } from '../config/errors.ts'
import { checkInFreshProcess } from '../config/evaluate.ts'
import { createImporter, FIRST_READING } from '../config/importer.ts'
import { createConfigCopies } from '../config/kept.ts'
import { readConfig } from '../config/load.ts'
import type { Config } from '../config/model.ts'
import { formatProblems } from '../config/problem.ts'
import { startControl } from '../control/server.ts'
import { createLog } from '../log.ts'
import type { Caller, Master } from '../master-api.ts'
import { layout } from '../master-deps.ts'
import { createRedactor } from '../redact.ts'
import type { StopHow } from '../running-builds.ts'
import type { Basedir } from './basedir.ts'
import { isDaemon, reportStart } from './daemon.ts'
import { version } from './installation.ts'
import { openLogFile } from './log-file.ts'
import type { BootContext } from './open-master.ts'
import { printError } from './output.ts'
import { claimPidFile } from './pid-file.ts'

/** Runs the master of a base directory until it is told to stop; resolves with the exit code. */
export async function runMaster(
  basedir: Basedir,
  boot: (context: BootContext) => Promise<Master> = openMaster,
): Promise<number> {
  try {
    return await run(basedir, boot)
  } catch (error) {
    // By now all is taken down: who hears of it may start anew at once.
    if (process.connected) await reportStart({ failed: withHint(error) })
    else printError(error)
    return 1
  }
}

async function run(basedir: Basedir, boot: (context: BootContext) => Promise<Master>): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const output = createOutput(basedir, isDaemon(), stack)
  try {
    stack.use(claimPidFile(basedir.path, basedir.pidFile))
    const { stopped, url } = await bringUp(basedir, boot, output, stack)
    await reportStart({ ready: true, ...(url !== null && { url }) })
    return await stopped
  } catch (error) {
    output.log.error('start failed', { error })
    throw error
  }
}

type Output = Pick<BootContext, 'clock' | 'log' | 'redactor'>

function createOutput(basedir: Basedir, daemon: boolean, stack: AsyncDisposableStack): Output {
  const redactor = createRedactor()
  const file = daemon ? stack.use(openLogFile({ path: basedir.logFile })) : undefined
  const pretty = !daemon && process.stderr.isTTY === true
  const log = createLog({
    write: file ? file.write : (line) => void process.stderr.write(`${line}\n`),
    format: pretty ? 'pretty' : 'json',
    level: levelOf(process.env.BOLTBOT_LOG_LEVEL),
    redact: redactor.text,
    clock: { now: Date.now },
  })
  return { log, redactor, clock: createClock(log) }
}

async function bringUp(
  basedir: Basedir,
  boot: (context: BootContext) => Promise<Master>,
  output: Output,
  stack: AsyncDisposableStack,
): Promise<{ readonly stopped: Promise<number>; readonly url: string | null }> {
  const { log, clock } = output
  const importer = createImporter()
  const configs = createConfigCopies(layout(basedir.path).configs, basedir.file, importer)
  const read = async (file: string, generation: string) => {
    const { problems } = await checkInFreshProcess(file)
    if (problems.length > 0) throw configProblems(file, problems)
    const here = await readConfig(importer, file, generation)
    if (here.config === undefined) throw configProblems(file, here.problems)
    return here.config
  }
  const readAgain = async (generation: string = randomUUID()) => {
    const config = await read(basedir.file, generation)
    await configs.keep(config.hash, generation)
    return config
  }
  const program: ProgramActs = {
    version: version(),
    reconfigure: (by) => reconfigure(by),
    shutDown: (who, reason) => shutDown(who, reason),
  }
  const broken = (error: CiError) => void endBroken(log, error)
  const given = { basedir: basedir.path, program, configs, broken }
  const [config, { createControlMethods }] = await Promise.all([readAgain(FIRST_READING), loadParts()])
  const master = await boot({ ...output, ...given, config })
  stack.defer(() => master.stop())
  surviveStrays(log, stack)

  const { promise: stopped, resolve } = Promise.withResolvers<number>()
  const shutDown = (who: string, reason: string, builds: StopHow = 'leave') => {
    log.info('stop asked for', { who, reason, builds })
    master.stop({ reason, builds }).then(
      () => resolve(0),
      (error: unknown) => {
        log.error('stop failed', { error })
        resolve(1)
      },
    )
  }
  let last: Promise<unknown> = Promise.resolve()
  const reconfigure: ProgramActs['reconfigure'] = (by) => {
    const work = last.then(() => applyAgain(master, readAgain, by))
    last = work.catch(() => {}) // its asker is told; the next one begins anew
    return work
  }
  onSignals(log, stack, shutDown, () => {
    reconfigure({ who: 'the system', via: 'signal' }).then(
      (changed) => log.info('config applied', { changed }),
      (error: unknown) => log.error('config refused, the old one stays', { error }),
    )
  })
  await master.start()
  stack.use(
    await startControl({
      basedir: basedir.path,
      platform: process.platform,
      runtimeDir: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
      methods: createControlMethods({
        master,
        clock,
        reconfigure,
        plan: async (file = basedir.file, lastChanges) => master.plan(await read(file, randomUUID()), lastChanges),
        shutDown,
      }),
      log,
    }),
  )
  return { stopped, url: master.url() }
}

/** The parts of a master, loaded while another process checks the config: each takes as long as the other. */
async function loadParts() {
  const [methods] = await Promise.all([import('../control/methods.ts'), import('./open-master.ts')])
  return methods
}

async function openMaster(context: BootContext): Promise<Master> {
  return (await import('./open-master.ts')).openMaster(context)
}

async function applyAgain(master: Master, readAgain: () => Promise<Config>, by: Caller): Promise<readonly string[]> {
  let config: Config
  try {
    config = await readAgain()
  } catch (error) {
    await master.configRejected([sentence(error)])
    throw error
  }
  return master.reconfigure(config, by)
}

/** A supervisor starts it again, as after any other exit code but 0; this one says that the disk needs a look. */
const DISK_FAILED = 74

/**
 * Ends as a kill would, which the next start is made for: to stop in order, the parts of the master would have to store. Builds go on at
 * their agents and are taken up then.
 */
async function endBroken(log: Log, error: CiError): Promise<void> {
  log.error('the master ends, and takes up its builds when it is started again', { error })
  if (process.connected) await reportStart({ failed: error.message })
  process.exit(DISK_FAILED)
}

/** SIGHUP reads the config anew; SIGTERM and SIGINT stop, a second one at once. */
function onSignals(
  log: Log,
  stack: AsyncDisposableStack,
  shutDown: (who: string, reason: string) => void,
  reread: () => void,
): void {
  let asked = false
  const stop = (signal: NodeJS.Signals) => {
    if (asked) {
      log.warn('stopped at once', { signal })
      process.exit(1)
    }
    asked = true
    shutDown('the system', signal)
  }
  for (const [signal, handler] of [
    ['SIGTERM', stop],
    ['SIGINT', stop],
    ['SIGHUP', reread],
  ] as const) {
    process.on(signal, handler)
    stack.defer(() => void process.off(signal, handler))
  }
}

/** A plugin's forgotten rejection or a throw in its own timer is logged; it must not end the builds of everybody. */
function surviveStrays(log: Log, stack: AsyncDisposableStack): void {
  const rejected = (error: unknown) => log.error('a rejected promise was left alone', { error, from: frameOf(error) })
  const thrown = (error: unknown) => log.error('an error was left alone', { error, from: frameOf(error) })
  process.on('unhandledRejection', rejected)
  process.on('uncaughtException', thrown)
  stack.defer(() => {
    process.off('unhandledRejection', rejected)
    process.off('uncaughtException', thrown)
  })
}

/** Of errors with a code, such as Node's: the log names the place of others itself. */
const frameOf = (error: unknown) =>
  error instanceof Error && 'code' in error
    ? error.stack
        ?.split('\n')[1]
        ?.trim()
        .replace(/\?gen=[\w-]+/, '')
    : undefined

/** An error for a program that shows one sentence: problems of a config are listed by the first of them. */
function sentence(error: unknown): string {
  const problems = (error as { readonly details?: { readonly problems?: Parameters<typeof formatProblems>[0] } })
    .details?.problems
  if (!problems || problems.length === 0) return messageOf(error)
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more: boltbot checkconfig lists them)` : ''
  return `the config has a problem at ${formatProblems(problems.slice(0, 1))}${more}`
}

/** The hint of a config's problems is their list again. */
const withHint = (error: unknown) =>
  error instanceof CiError && error.hint !== undefined && error.details.problems === undefined
    ? `${sentence(error)} ${error.hint}`
    : sentence(error)

function levelOf(name: string | undefined): 'error' | 'warn' | 'info' | 'debug' {
  return name === 'error' || name === 'warn' || name === 'debug' ? name : 'info'
}
