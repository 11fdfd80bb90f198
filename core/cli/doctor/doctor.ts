import { join } from 'node:path'
import { CiError, type Doctor, type Finding, type Log, messageOf } from 'boltbot/plugin-sdk'
import { createClock } from '../../clock.ts'
import { checkInFreshProcess } from '../../config/evaluate.ts'
import { createImporter } from '../../config/importer.ts'
import { readConfig } from '../../config/load.ts'
import type { Config, PluginSpec } from '../../config/model.ts'
import { formatProblems } from '../../config/problem.ts'
import { withDeadline } from '../../host/deadline.ts'
import { createRedactor } from '../../redact.ts'
import { createSecrets } from '../../secrets.ts'
import { type Basedir, readEnvironmentFile } from '../basedir.ts'
import { readPidFile } from '../pid-file.ts'
import { checkCertificate } from './certificate.ts'
import { checkDatabase } from './database.ts'
import { checkClock, checkMachine } from './machine.ts'
import { checkPeople } from './people.ts'
import { checkPort } from './port.ts'

/** For all checks of one plugin. */
const PLUGIN_MS = 30_000

/** Looks at everything a master needs, from its place; tells each finding as it comes. Changes nothing. */
export async function* examine(basedir: Basedir, log: Log): AsyncGenerator<Finding> {
  const clock = createClock(log)
  Object.assign(process.env, readEnvironmentFile(basedir.path)) // as the daemon has it
  const running = readPidFile(basedir.path, basedir.pidFile)
  yield {
    what: 'master',
    verdict: 'ok',
    text: running ? `It runs as process ${running.pid}.` : 'It does not run at present.',
  }
  yield* checkMachine(basedir.path)
  const environment = readEnvironmentFile(basedir.path)
  const { problems } = await checkInFreshProcess(basedir.file, { environment })
  const { config } = await readConfig(createImporter(), basedir.file)
  const secrets = createSecrets({
    directory: join(basedir.path, 'secrets'),
    environment: process.env,
    redactor: createRedactor(),
    checkModes: process.platform !== 'win32',
  })
  const isRunning = running !== undefined
  const database = await checkDatabase(basedir.path, config?.store ?? null, secrets, isRunning)
  yield database.finding
  yield await checkClock(clock.now(), database.lastEvent)
  if (config === undefined || problems.length > 0) {
    const text = `It has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}: ${formatProblems(problems.slice(0, 1))}`
    yield {
      what: 'config',
      verdict: 'fail',
      text,
      cure: 'boltbot checkconfig shows all; the rest is looked at when it is good.',
    }
    return
  }
  const { builders, slaves, plugins } = config
  yield {
    what: 'config',
    verdict: 'ok',
    text: `It is good: ${amount(builders.size, 'builder')}, ${amount(slaves.size, 'slave')}, ${amount(plugins.length, 'plugin')}.`,
  }
  yield* checkWeb(config, isRunning)
  yield* await checkPeople(config, { clock, log })
  for (const plugin of plugins) {
    const over = new AbortController()
    const doctor: Doctor = {
      secrets,
      clock,
      log,
      isRunning,
      signal: over.signal,
      port: (what, port, host) => checkPort(what, port, host, isRunning),
      certificate: (what, certificate) => checkCertificate(what, certificate, clock.now()),
    }
    yield* await askPlugin(plugin, doctor, () => over.abort(), clock)
  }
}

async function askPlugin(
  { id, definition, options }: PluginSpec,
  doctor: Doctor,
  giveUp: () => void,
  clock: ReturnType<typeof createClock>,
): Promise<readonly Finding[]> {
  const ask = definition.doctor
  if (!ask) return []
  const late = () => new Error(`it took longer than ${PLUGIN_MS / 1000} s`)
  try {
    const findings = await withDeadline(
      Promise.try(() => ask(doctor, options as never)),
      { clock, ms: PLUGIN_MS, late },
    )
    return findings.map((finding) => ({ ...finding, what: `${id}: ${finding.what}` }))
  } catch (error) {
    giveUp()
    const cure = error instanceof CiError ? error.hint : undefined
    return [{ what: id, verdict: 'fail', text: messageOf(error), ...(cure !== undefined && { cure }) }]
  }
}

async function* checkWeb({ http, buildbotURL }: Config, isRunning: boolean): AsyncGenerator<Finding> {
  if (http !== null) yield checkPort('web server', http.port, http.host, isRunning)
  if (http === null || buildbotURL === null || !isRunning) return
  const what = `links to ${buildbotURL}`
  try {
    const { status } = await fetch(buildbotURL, { signal: AbortSignal.timeout(10_000), redirect: 'manual' })
    if (status < 500) yield { what, verdict: 'ok', text: `They lead somewhere: it answers ${status}.` }
    else
      yield { what, verdict: 'warn', text: `It answers ${status}.`, cure: 'Look at the proxy in front of the master.' }
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error)
    const cure = 'Mend buildbotURL or the proxy it names; this machine may also just not reach it.'
    yield { what, verdict: 'warn', text: `It does not answer from here: ${reason}.`, cure }
  }
}

const amount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
