import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuildView, hashPassword } from 'boltbot/plugin-sdk'
import type { PluginStatus } from '../../host/plugin-scope.ts'
import { callMaster } from '../control-client.ts'
import { makeMasterDirectory } from '../master-directory.ts'
import { makeSlaveDirectory } from '../slave-directory.ts'
import { type Child, startChild } from './child.ts'
import { demoConfig } from './config-text.ts'
import { portTaken, tookTooLong, wrongResult } from './errors.ts'
import { makeDemoFolder } from './folder.ts'
import { type MaildirServer, startMaildirServer } from './maildir-server.ts'
import { BAD_COMMIT, type Commit, GOOD_COMMIT, makeProject, needGit, type Project } from './project.ts'
import { createTeller, type Teller } from './teller.ts'

export interface DemoOptions {
  /** Kept afterwards; `undefined`: a temporary one. */
  readonly folder: string | undefined
  /** Ends after the story instead of staying until Ctrl-C. */
  readonly once: boolean
  /** For slaves; `undefined`: a free one. */
  readonly port: number | undefined
}

/** The whole walk on this machine: repository, master, slave and mail server. @throws CiError, one sentence. */
export async function runDemo(options: DemoOptions): Promise<void> {
  await needGit()
  const port = await findPort(options.port)
  const folder = makeDemoFolder(options.folder)
  const stop = onInterrupt()
  const teller = createTeller(process.stdout)
  {
    await using stack = new AsyncDisposableStack()
    stack.use(stop)
    const demo = await setUp(folder.path, port, teller, stack)
    const story = tellStory(demo, teller)
    story.catch(() => {}) // it comes to nothing when it is interrupted
    const told = await Promise.race([story.then(() => true), stop.asked.then(() => false)])
    if (told) tellPlaces(demo, teller)
    if (told && !options.once) {
      tellCommands(demo, teller)
      teller.say('\nMaster and slave stay up until Ctrl-C.')
      await Promise.race([stop.asked, demo.master.failed, demo.slave.failed])
    }
    if (!told) process.exitCode = 130 // as a shell has it for Ctrl-C
    teller.say(`\nStopping slave and master${folder.isTemporary ? `, removing ${folder.path}` : ''} …`)
  }
  folder.remove()
  if (folder.isTemporary) teller.say('To keep it all next time, name a folder: npm start -- FOLDER')
}

interface Demo {
  readonly folder: string
  readonly basedir: string
  readonly project: Project
  readonly mails: MaildirServer
  readonly master: Child
  readonly slave: Child
  readonly web: { readonly url: string; readonly password: string }
}

async function setUp(folder: string, port: number, teller: Teller, stack: AsyncDisposableStack): Promise<Demo> {
  teller.chapter('A git repository, a mail server, a master, and a slave as a process of its own')
  const project = await makeProject(folder)
  const mails = stack.use(await startMaildirServer(join(folder, 'Maildir')))
  const httpPort = await findPort(undefined)
  const config = demoConfig({ repourl: project.url, slavePort: port, smtpPort: mails.port, httpPort })
  const webPassword = randomBytes(4).toString('hex')
  const { basedir, slavedir } = makeDirectories(folder, config, port)
  writeFileSync(join(basedir, 'secrets', 'web-demo'), `${await hashPassword(webPassword)}\n`, { mode: 0o600 })
  const start = (name: string, where: string, shown: boolean) =>
    stack.use(startChild({ name, basedir: where, logFile: join(where, `${name}.log`), shown }))
  const master = start('master', basedir, true)
  await inTime('the master to start', folder, master.logged('first poll, later commits will be changes'))
  const slave = start('slave', slavedir, false)
  const web = { url: `http://127.0.0.1:${httpPort}/`, password: webPassword }
  const demo = { folder, basedir, project, mails, master, slave, web }
  await until('the slave to attach', demo, async () => {
    const slaves = await callMaster<readonly { readonly state: string }[]>(basedir, 'slaves', {})
    return slaves[0]?.state === 'idle' ? true : undefined
  })
  return demo
}

function makeDirectories(folder: string, config: string, port: number) {
  const password = randomBytes(12).toString('hex')
  const { path: basedir, configFile } = makeMasterDirectory(join(folder, 'master'), undefined)
  writeFileSync(configFile, config)
  mkdirSync(join(basedir, 'secrets'), { recursive: true, mode: 0o700 })
  writeFileSync(join(basedir, 'secrets', 'bot'), `${password}\n`, { mode: 0o600 })
  const login = { url: `ws://127.0.0.1:${port}`, name: 'bot', password }
  const slavedir = makeSlaveDirectory(join(folder, 'slave'), login, { keepalive: 60, maxdelay: 10 })
  return { basedir, slavedir }
}

async function tellStory(demo: Demo, teller: Teller): Promise<void> {
  teller.chapter(`${GOOD_COMMIT.name} pushes a good commit: "${GOOD_COMMIT.comments}"`)
  await buildCommit(demo, GOOD_COMMIT, 0, 'success')
  teller.chapter(`${BAD_COMMIT.name} pushes one that breaks the tests: "${BAD_COMMIT.comments}"`)
  await buildCommit(demo, BAD_COMMIT, 1, 'failure')
  teller.chapter(`${BAD_COMMIT.name} gets a mail`)
  await teller.mail(await inTime('the mail', demo.folder, Promise.race([demo.mails.firstMail, demo.master.failed])))
}

async function buildCommit(demo: Demo, commit: Commit, number: number, expected: string): Promise<void> {
  await demo.project.push(commit)
  const result = await until(`build #${number} to finish`, demo, async () => {
    const builds = await callMaster<readonly BuildView[]>(demo.basedir, 'builds', { builder: 'hello' })
    return builds.find((build) => build.number === number)?.result ?? undefined
  })
  // What the master prints comes a moment later than what it knows: its plugins are told before the slave is given back.
  await until('the console', demo, async () => {
    const [slave] = await callMaster<readonly { readonly state: string }[]>(demo.basedir, 'slaves', {})
    if (slave?.state !== 'idle') return undefined
    const plugins = await callMaster<readonly PluginStatus[]>(demo.basedir, 'plugins', {})
    return plugins.every(({ depth, id }) => id !== 'status/console' || depth === 0) ? true : undefined
  })
  if (result !== expected) throw wrongResult(`hello/${number}`, expected, result, demo.folder)
}

function tellPlaces({ folder, basedir, project, mails, slave, master }: Demo, teller: Teller): void {
  teller.chapter('Where everything is')
  teller.list([
    ['folder', folder],
    ['repository', `${project.url}  (a clone to commit in: ${join(folder, 'hello')})`],
    ['config', join(basedir, 'master.cfg.ts')],
    ['logs', `${master.logFile}  ${slave.logFile}`],
    ['mail', join(mails.maildir, 'new')],
  ])
}

function tellCommands({ folder, basedir, web }: Demo, teller: Teller): void {
  teller.chapter('To try')
  const at = `--basedir ${basedir}`
  teller.list([
    ['in a browser', `${web.url}  (to ask for builds there, sign in as demo, ${web.password})`],
    ['what was built', `npx boltbot builds ${at}`],
    ['what it printed', `npx boltbot log hello/1 test ${at}`],
    ['build it again', `npx boltbot force hello ${at}`],
    ['ask the bot', `npx boltbot chat "status all" ${at}`],
    ['who is attached', `npx boltbot slaves ${at}`],
    ['commit yourself', `cd ${join(folder, 'hello')} && git commit --allow-empty -m 'Try' && git push origin main`],
  ])
}

const SECONDS = 60

async function until<T>(what: string, demo: Demo, look: () => Promise<T | undefined>): Promise<T> {
  const over = new AbortController()
  const poll = async () => {
    for (;;) {
      const found = await look().catch(() => undefined) // the control socket comes last at a start
      if (found !== undefined) return found
      await sleep(100, undefined, { signal: over.signal })
    }
  }
  const found = poll()
  found.catch(() => {}) // it lost the race below
  try {
    return await inTime(what, demo.folder, Promise.race([found, demo.master.failed, demo.slave.failed]))
  } finally {
    over.abort()
  }
}

async function inTime<T>(what: string, folder: string, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = sleep(SECONDS * 1000, undefined, { signal: over.signal }).then((): never => {
    throw tookTooLong(what, SECONDS, folder)
  })
  late.catch(() => {}) // ended by us when the work is done
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

/** @throws CiError `BOLT_DEMO_PORT`. */
async function findPort(wanted: number | undefined): Promise<number> {
  const server = createServer()
  try {
    server.listen(wanted ?? 0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port // a TCP server has no other address
  } catch (error) {
    throw portTaken(wanted ?? 0, error)
  } finally {
    server.close()
  }
}

/** Ctrl-C and the like, asked for once; a second one ends the program at once. */
function onInterrupt(): Disposable & { readonly asked: Promise<void> } {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, resolve)
  return {
    asked,
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, resolve)
    },
  }
}
