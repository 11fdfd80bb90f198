import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createThreads } from '../../../core/host/worker/threads.ts'
import { createMemoryLogStore } from '../../../core/store/logs/memory-log-store.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import type { MasterConfig } from '../../config.ts'
import type { HookEvent, StoredHook } from '../../hooks.ts'
import type { BuildsetSubmitted, ForceOrder, Query } from '../../host.ts'
import type { BuildView, Change, ChangeInput } from '../../model.ts'
import type { Result } from '../../results.ts'
import { listNames } from '../../suggest.ts'
import { buildOtherwise, misused, rigLeaks, toldStory, withStory } from '../errors.ts'
import { createClockWith, type FakeClock } from '../fake-clock.ts'
import { createMemoryLog, type MemoryLog } from '../memory-log.ts'
import type { ScriptedAnswers } from '../scripted-answers.ts'
import { createScriptedSlave, type ScriptedSlave } from '../scripted-slave.ts'
import { until } from '../until.ts'
import { type Life, startLife } from './life.ts'
import type { RigMail } from './mails.ts'
import { createRigStage, type RigIrc } from './stage.ts'
import { type RigEvent, storyLine } from './story.ts'

/** A whole master in memory: the real walk over a real store, on a clock that stands still, with slaves that do what the test says. */
export interface Rig extends AsyncDisposable {
  readonly clock: FakeClock
  /** What the master and its plugins logged. */
  readonly log: MemoryLog
  /** All that plugins may ask for. */
  readonly query: Query
  /** All that happened so far, oldest first. */
  readonly events: readonly RigEvent[]
  /** The same in words, a line each: `buildFinished full #0 on bot success`. */
  story(): readonly string[]
  /**
   * Mails that would have gone out, oldest first: composed by the config's mail plugin to the byte, or as plugins gave them to `host.notify`
   * when it has none. Nothing goes to any server.
   */
  readonly mails: readonly RigMail[]
  /** What the config's IRC bots say, and a way to speak with them. No network is touched. */
  readonly irc: RigIrc
  /** Hands in a change, as a source would; what is left out is made up. Resolves when it is stored. */
  commit(change?: Partial<ChangeInput>): Promise<Change>
  /** Asks for a build, as a person would. Resolves when it is queued and all has settled. */
  force(builder: string, order?: Partial<ForceOrder>): Promise<BuildsetSubmitted>
  /** Stops the running build of a builder, as a person would. Resolves when the stop is under way. @throws CiError `BOLT_TESTING_MISUSED`. */
  stop(builder: string): Promise<void>
  /** A slave comes again that was dropped or crashed, or that was not to come at first. Resolves when it is attached. */
  attach(slave: string): Promise<void>
  /** A slave of the config: to drop its link, to end what hangs, to see what it was asked. @throws CiError `BOLT_TESTING_MISUSED` when there is none. */
  slave(name: string): ScriptedSlave
  /** Moves the clock; then everything has settled. Resolves then. @throws as {@link FakeClock.advance}. */
  advance(by: number | string): Promise<void>
  readonly until: RigUntil
  /** Where the config's pages are served; ends with a slash. Empty without `http`. */
  url(): string
  /** Applies another config to the running master; gives what changed, a line each. Resolves when it is in force. @throws CiError `BOLT_TESTING_CONFIG`, or when plugins of it do not start. */
  reconfigure(config: MasterConfig): Promise<readonly string[]>
  /**
   * Kills the master, as by `kill -9`, with the ports that it and its plugins had opened, and starts a new one on the same store; slaves
   * are attached anew. `after`: how long there is none. Long times pass faster so than with `advance`, as nothing happens in them. Resolves when the new one runs.
   */
  restart(options?: { readonly config?: MasterConfig; readonly after?: number | string }): Promise<void>
}

/** What a test may wait for in a rig, in real time: each moves nothing but lets everything settle. */
export interface RigUntil {
  /**
   * The next build of a builder that ended, each given once, in order. With a result it must have ended so. Resolves with it.
   * @throws CiError `BOLT_TESTING_WAITED` when none ended within 10 real seconds, `BOLT_TESTING_RESULT` when it ended otherwise: both
   * show the story so far.
   */
  build(builder: string, result?: Result): Promise<BuildView>
  /** The next mail that fits, each given once. Resolves with it. @throws CiError `BOLT_TESTING_WAITED`. */
  mail(fits?: (mail: RigMail) => boolean): Promise<RigMail>
  /** An event that fits, also one that was. Resolves with it. @throws CiError `BOLT_TESTING_WAITED`. */
  event<Name extends StoredHook>(name: Name, fits?: (event: HookEvent<Name>) => boolean): Promise<HookEvent<Name>>
}

/** What a rig is made of. */
export interface RigOptions {
  /** What `defineMaster` made: the default export of a `master.cfg.ts`, or a config of the test's own. Its transports are not started. */
  readonly config: MasterConfig
  /** What slaves answer, by name; `false`: this one does not come. Default: all of them are attached, and every command succeeds. */
  readonly slaves?: Readonly<Record<string, ScriptedAnswers | false>>
  readonly secrets?: Readonly<Record<string, string>>
  /** Clock time of the start; default: in September 2001. */
  readonly now?: number
  /** Of all that is left to chance; default 1. */
  readonly seed?: number
  /**
   * True: plugins with `isolation: 'worker'` run in threads, as in a master. The clock moves on when they have settled, so they see its time;
   * what they wait for outside (servers, files) takes real time. Such a plugin must be exported by a file that is no test. Default: all run in
   * this process. Those of mail and IRC always do, beside the stage that stands for their servers.
   */
  readonly workers?: boolean
}

/**
 * Starts a rig; resolves when its master runs. Disposing it stops the master. @throws CiError `BOLT_TESTING_CONFIG`; when disposed `BOLT_TESTING_LEAK` for timers that are left.
 * @example
 * await using rig = await createRig({ config, slaves: { bot: [{ match: 'make test', result: 1 }] } })
 * await rig.commit({ who: 'jane', branch: 'main' })
 * await rig.advance('5m')
 * const build = await rig.until.build('full', 'failure')
 */
export async function createRig(options: RigOptions): Promise<Rig> {
  const { secrets = {}, seed = 1 } = options
  const threads = options.workers ? createThreads() : null
  const others = async () => (await threads?.settle()) ?? false
  const clock = createClockWith({ ...(options.now !== undefined && { start: options.now }) }, others)
  const log = createMemoryLog()
  const basedir = await mkdtemp(join(tmpdir(), 'boltbot-rig-'))
  const store = await openSqliteStore({ file: ':memory:', clock, log })
  const logStore = createMemoryLogStore()
  const events: RigEvent[] = []
  const given = new Map<string, number>()
  const givenMails = new Set<RigMail>()
  const slaves = new Map<string, ScriptedSlave>()
  const settle = async () => {
    for (let i = 0; i < 10; i++) {
      await clock.settle()
      await world.settled()
    }
  }
  const world = createRigStage(settle)
  let config = options.config
  let life = await begin(seed)
  let changes = 0

  async function begin(random: number): Promise<Life> {
    const told = (event: RigEvent) => void events.push(event)
    const one = await startLife({
      ...{ config, clock, log, basedir, store, logStore, secrets, seed: random, world, told, threads },
    })
    for (const { name } of config.options.slaves)
      if (options.slaves?.[name] !== false) await slaveOf(name).attach(one.door)
    return one
  }

  function slaveOf(name: string): ScriptedSlave {
    const slave = slaves.get(name) ?? createScriptedSlave({ name, answers: options.slaves?.[name] || [], clock })
    slaves.set(name, slave)
    return slave
  }

  const story = () => events.map(storyLine)

  /** In real time: sockets and files of plugins are real. */
  const waited = <T>(what: string, find: () => T | undefined): Promise<NonNullable<T>> =>
    until(
      async () => {
        await settle()
        return find()
      },
      { what, seen: () => toldStory(story()) },
    )

  return {
    clock,
    log,
    get query() {
      return life.master.query
    },
    events,
    story,
    mails: world.mails,
    irc: world.irc,
    async commit(change = {}) {
      const number = ++changes
      const input = { who: 'jane', files: ['a.c'], comments: `commit ${number}`, revision: `r${number}`, ...change }
      const submitted = await life.master.submitChange(input, 'rig')
      await settle()
      return submitted.change
    },
    async force(builder, order = {}) {
      const asked = await life.master.force({ who: 'jane', reason: 'to see', ...order, builder }, 'rig')
      await settle()
      return asked
    },
    async stop(builder) {
      const [build] = await life.master.query.builds({ builder, running: true })
      if (build === undefined) throw misused('rig', `was to stop a build of "${builder}", and none runs`)
      await life.master.stopBuild({ build: build.id, who: 'jane', reason: 'to see' }, 'rig')
      await settle()
    },
    async attach(name) {
      await slaveOf(name).attach(life.door)
      await settle()
    },
    slave(name) {
      const slave = slaves.get(name)
      if (slave === undefined)
        throw misused('rig', `was asked for the slave "${name}", and has ${listNames([...slaves.keys()])}`)
      return slave
    },
    async advance(by) {
      await clock.advance(by)
      await settle()
    },
    until: {
      async build(builder, result) {
        const from = given.get(builder) ?? 0
        const ended = await waited(`a build of "${builder}" to end`, () => endsOf(events, builder)[from])
        given.set(builder, from + 1)
        if (result !== undefined && ended.result !== result)
          throw buildOtherwise(`${builder} #${ended.number}`, ended.result, result, story())
        return (await life.master.query.build(ended.build))!
      },
      async mail(fits = () => true) {
        const mail = await waited('a mail', () => world.mails.find((one) => !givenMails.has(one) && fits(one)))
        givenMails.add(mail)
        return mail
      },
      event: <Name extends StoredHook>(name: Name, fits: (event: HookEvent<Name>) => boolean = () => true) =>
        waited(`the event "${name}"`, () => {
          for (const one of events) {
            const event = one.event as HookEvent<Name> // if its name is this one
            if (one.name === name && fits(event)) return event
          }
          return undefined
        }),
    },
    url: () => life.url(),
    async reconfigure(next) {
      config = next
      return life.reconfigure(next)
    },
    async restart({ config: next = config, after = 0 } = {}) {
      life.kill()
      await clock.advance(after)
      config = next
      life = await begin(seed + 1)
      await settle()
    },
    async [Symbol.asyncDispose]() {
      await life.stop()
      await rm(basedir, { recursive: true, force: true })
      const left = clock.pending().map((timer) => `a ${timer.kind}, made\n${timer.madeAt}`)
      if (left.length > 0) throw rigLeaks(left)
    },
  }
}

/**
 * Runs a test in a rig of its own, and disposes it; resolves with what the test gives. Whatever the test throws, also an assertion, shows the story so far.
 * @throws what the test throws; CiError as {@link createRig}.
 * @example
 * test('jane is told', () => withRig({ config }, async (rig) => {
 *   await rig.force('full')
 *   assert.equal((await rig.until.mail()).to, 'jane@example.org')
 * }))
 */
export async function withRig<T>(options: RigOptions, use: (rig: Rig) => Promise<T>): Promise<T> {
  await using rig = await createRig(options)
  try {
    return await use(rig)
  } catch (error) {
    throw withStory(error, rig.story())
  }
}

const endsOf = (events: readonly RigEvent[], builder: string) =>
  events.flatMap((one) => (one.name === 'buildFinished' && one.event.builder === builder ? [one.event] : []))
