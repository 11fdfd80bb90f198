import { type BuildView, type Clock, isJson, type Json, type Result, type StepView } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import type { Caller, Master } from '../master-api.ts'
import { createChatMethods } from './chat-methods.ts'
import { buildNotFound, buildWithoutSteps, controlBadParams, stepNotFound } from './errors.ts'
import { createPeopleMethods } from './people-methods.ts'
import type { ControlMethod } from './server.ts'

export interface ControlMethodsDeps {
  readonly master: Master
  readonly clock: Clock
  /** Reads the config anew and applies it; gives what changed. */
  readonly reconfigure: (by: Caller) => Promise<readonly string[]>
  /** What this config file, or the master's own, would change. */
  readonly plan: (file: string | undefined, lastChanges: number) => Promise<unknown>
  /** Begins to stop the whole program; returns at once. `builds`: what becomes of running ones, see `Master.stop`. */
  readonly shutDown: (who: string, reason: string, builds: 'leave' | 'wait' | 'cancel') => void
}

/** What a piece of a log is on the socket: bytes as base64, so that nothing is lost. */
export interface LogItem {
  readonly stream: string
  readonly data: string
}

/** Comes before the pieces when no step was asked for: which one it is. */
export interface ChosenStep {
  readonly step: string
  /** `null`: it runs. */
  readonly result: Result | null
}

const VIA = 'cli'
const text = z.string().min(1)
const optionalText = z.string().nullable().optional()
const json = z.custom<Json>((value) => isJson(value), 'must be JSON')
const properties = z.record(z.string(), json)
const cancelShape = z.union([
  z.strictObject({ request: z.int(), who: text, reason: text }),
  z.strictObject({ builder: text, who: text, reason: text }),
])
const slaveOrder = z.object({ slave: text, who: text, reason: text })
const builds = z.enum(['leave', 'wait', 'cancel']).default('leave')
const limit = z.int().min(1).max(1000).optional()

/** The commands a running master takes. */
export function createControlMethods({
  master,
  clock,
  reconfigure,
  plan,
  shutDown,
}: ControlMethodsDeps): Readonly<Record<string, ControlMethod>> {
  const { query } = master
  return {
    ...createChatMethods(master),
    ...createPeopleMethods(master),
    info: method('info', z.object({}), async () => ({ project: query.project(), url: master.url() })),
    database: method('database', z.object({}), () => master.storeHealth()),
    reconfig: method('reconfig', z.object({ who: text }), async ({ who }) => ({
      changed: await reconfigure({ who, via: VIA }),
    })),
    plan: method(
      'plan',
      z.object({ file: text.optional(), changes: z.int().min(0).max(10_000) }),
      ({ file, changes }) => plan(file, changes),
    ),
    stop: method('stop', z.object({ who: text, reason: text, builds }), async ({ who, reason, builds: how }) => {
      await master.mayShutDown({ who, via: VIA }, reason)
      shutDown(who, reason, how)
    }),
    force: method(
      'force',
      z.object({
        builder: text,
        who: text,
        reason: text,
        branch: optionalText,
        revision: optionalText,
        properties: properties.optional(),
        priority: z.int().optional(),
      }),
      (order) => master.force(withoutUndefined(order), VIA),
    ),
    'force-form': method(
      'force-form',
      z.object({ scheduler: text, who: text, builders: z.array(text).optional(), values: properties.optional() }),
      (order) => master.force(withoutUndefined(order), VIA),
    ),
    now: method('now', z.object({ scheduler: text, who: text }), ({ scheduler, who }) =>
      master.runNow(scheduler, { who, via: VIA }),
    ),
    change: method(
      'change',
      z.object({
        who: text,
        files: z.array(text),
        comments: z.string(),
        branch: optionalText,
        revision: optionalText,
        repository: z.string().optional(),
        project: z.string().optional(),
        category: optionalText,
        properties: properties.optional(),
      }),
      (input) => master.submitChange(withoutUndefined(input), VIA),
    ),
    poll: method('poll', z.object({ poller: text, who: text }), async ({ poller, who }) => ({
      polled: await master.poll(poller, { who, via: VIA }),
    })),
    pollers: method('pollers', z.object({}), () => query.pollers()),
    why: method('why', z.object({ request: z.int().optional() }), ({ request }) => master.why(request)),
    builds: method('builds', z.object({ builder: text.optional(), running: z.boolean().optional(), limit }), (filter) =>
      query.builds(withoutUndefined(filter)),
    ),
    audits: method('audits', z.object({ limit }), (filter) => query.audits(withoutUndefined(filter))),
    changes: method('changes', z.object({ limit }), (filter) => query.changes(withoutUndefined(filter))),
    builders: method('builders', z.object({}), () => query.builders()),
    builder: method('builder', z.object({ name: text }), async ({ name }) => {
      const builder = await query.builder(name)
      if (builder === undefined) return null
      return { ...builder, branches: await query.branches(name), expectations: await query.expectations(name) }
    }),
    wait: method('wait', z.object({ buildset: z.int() }), async ({ buildset }, signal) => ({
      result: await master.waitFor(buildset, signal),
    })),
    slaves: method('slaves', z.object({}), () => query.slaves()),
    pause: method('pause', slaveOrder, (order) => master.pauseSlave(order, VIA)),
    resume: method('resume', slaveOrder, (order) => master.resumeSlave(order, VIA)),
    graceful: method('graceful', slaveOrder, (order) => master.releaseSlave(order, VIA)),
    away: method('away', slaveOrder.extend({ reason: z.string(), ms: z.int().min(0) }), (order) =>
      master.slaveAway(order, VIA),
    ),
    ...outboxMethods(master),
    locks: method('locks', z.object({}), () => query.locks()),
    plugins: method('plugins', z.object({}), async () => master.plugins.status()),
    'resume-plugin': method('resume-plugin', z.object({ id: text }), async ({ id }) => master.plugins.resume(id)),
    schedulers: method('schedulers', z.object({}), async () => master.schedulers()),
    'stop-build': method('stop-build', z.object({ build: text, who: text, reason: text }), async (order) => {
      const build = await findBuild(master, order.build)
      await master.stopBuild({ ...order, build: build.id }, VIA)
      return { build: `${build.builder}/${build.number}` }
    }),
    cancel: method('cancel', cancelShape, async (order) => ({ cancelled: await master.cancel(order, VIA) })),
    rebuild: method('rebuild', z.object({ build: text, who: text, reason: text }), async (order) => {
      const build = await findBuild(master, order.build)
      return { ...(await master.rebuild({ ...order, build: build.id }, VIA)), builder: build.builder }
    }),
    events: (params, { signal }) =>
      master.events(parse('events', z.object({ after: z.int().optional() }), params).after ?? null, signal),
    log: (params, { signal }) => followLog(master, clock, params, signal),
  }
}

const outboxShape = z.object({ all: z.boolean().optional(), inDoubt: z.boolean().optional(), limit })

function outboxMethods(master: Master): Readonly<Record<string, ControlMethod>> {
  const { outbox } = master
  return {
    outbox: method('outbox', outboxShape, ({ all = false, inDoubt = false, limit = 100 }) =>
      outbox.list({ ...(!all && !inDoubt && { states: ['waiting', 'sending', 'dead'] }), inDoubt, limit }),
    ),
    'outbox-retry': method('outbox-retry', z.object({ id: z.int() }), ({ id }) => outbox.retry(id)),
    'mail-test': method('mail-test', z.object({ address: text, who: text }), ({ address, who }) =>
      outbox.probe(address, who),
    ),
    'mail-preview': method('mail-preview', z.object({ build: text }), async ({ build }) =>
      master.plugins.preview(await findBuild(master, build)),
    ),
    'outbox-drop': method('outbox-drop', z.object({ id: z.int(), who: text, reason: z.string() }), ({ id, ...by }) =>
      outbox.drop(id, by),
    ),
  }
}

/** Parameters checked, then the work. */
function method<T>(
  name: string,
  shape: z.ZodType<T>,
  work: (params: T, signal: AbortSignal) => Promise<unknown>,
): ControlMethod {
  return async (params, { signal }) => work(parse(name, shape, params), signal)
}

function parse<T>(name: string, shape: z.ZodType<T>, params: unknown): T {
  const result = shape.safeParse(params)
  if (result.success) return result.data
  throw controlBadParams(
    name,
    result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  )
}

const logParams = z.object({ build: text, step: text.optional(), log: text.optional(), follow: z.boolean().optional() })

/** The bytes of a log; with `follow` until the step is done. Without a step: the first that failed, or else the last. */
async function* followLog(
  master: Master,
  clock: Clock,
  params: unknown,
  signal: AbortSignal,
): AsyncGenerator<LogItem | ChosenStep> {
  const { build: wanted, step: wantedStep, log = 'stdio', follow = false } = parse('log', logParams, params)
  const build = await findBuild(master, wanted)
  const step = wantedStep === undefined ? stepOfInterest(build) : findStep(build, wantedStep)
  if (wantedStep === undefined) yield { step: step.name, result: step.result }
  for (let from = 0; ; ) {
    const part = await master.readLog({ build: build.id, step: step.number, log }, from)
    for (const { stream, data } of part.pieces) yield { stream, data: Buffer.from(data).toString('base64') }
    const stuck = part.next === from
    from = part.next
    if (part.finished || (stuck && !follow)) return
    if (stuck) await clock.sleep(100, signal)
  }
}

function findStep(build: BuildView, wanted: string): StepView {
  const step = build.steps.find((one) => `${one.number}` === wanted || one.name === wanted)
  if (step !== undefined) return step
  const known = build.steps.map((one) => one.name)
  throw stepNotFound(wanted, `${build.builder}/${build.number}`, known)
}

/** What failed first explains the rest; those that were left out printed nothing. */
function stepOfInterest({ builder, number, steps }: BuildView): StepView {
  const failed = steps.find(({ result }) => result === 'failure' || result === 'exception')
  const step = failed ?? steps.findLast(({ result }) => result !== 'skipped') ?? steps.at(-1)
  if (step === undefined) throw buildWithoutSteps(`${builder}/${number}`)
  return step
}

/** `full/12`, or an id. */
async function findBuild({ query }: Master, name: string): Promise<BuildView> {
  const cut = name.lastIndexOf('/')
  const number = Number(name.slice(cut + 1))
  const found = !Number.isSafeInteger(number)
    ? undefined
    : cut === -1
      ? await query.build(number)
      : await query.buildByNumber(name.slice(0, cut), number)
  if (!found) throw buildNotFound(name)
  return found
}

/** The SDK's options are left out, never `undefined`. */
type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> }
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<T>
}
