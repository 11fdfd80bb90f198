import type { BuildFinished, BuildStarted, Host, LogAppended, StepFinished, StepStarted } from 'boltbot/plugin-sdk'
import { messageOf } from 'boltbot/plugin-sdk'
import type { Value } from '../../../wire/pb/values.ts'
import { createBuilderNews } from './builder-news.ts'
import { every, intervalMs } from './every.ts'
import { createLogCursor, placeOf } from './log-object.ts'
import { resultNumber } from './objects.ts'
import type { StatusEvents } from './status-events.ts'
import { expectationsOf } from './step-progress.ts'
import type { Telling } from './telling.ts'
import type { BuildRef, LogRef, StepRef, Tree } from './tree.ts'

/** What a client wants to be told, each with all those before it. */
export const MODES = ['builders', 'builds', 'steps', 'logs', 'full'] as const
export type Mode = (typeof MODES)[number]

export interface Wish {
  readonly mode: Mode
  /** Of the client: what is told. */
  readonly target: Value
  /** Seconds between two estimates. */
  readonly interval: number
}

/** All that one client is told of all builders. A new wish is in force from the next build and step on. */
export interface Subscription
  extends Pick<
      StatusEvents,
      'buildStarted' | 'stepStarted' | 'logAppended' | 'stepFinished' | 'buildFinished' | 'buildersChanged'
    >,
    Disposable {
  wish(wish: Wish): void
}

export interface SubscriptionDeps {
  readonly host: Pick<Host, 'query' | 'clock' | 'log'>
  readonly tree: Tree
  readonly telling: Telling
}

/** A build whose start was told. */
interface Followed {
  readonly ref: BuildRef
  /** What is told of it, one after the other. */
  last: Promise<void>
  readonly logs: Map<string, FollowedLog>
  step: (StepRef & { readonly startedAt: number }) | undefined
  /** Logs whose first bytes came before the start of their step was told. */
  readonly early: Set<string>
  estimates: Disposable | undefined
}

interface FollowedLog {
  readonly ref: LogRef
  readonly cursor: ReturnType<typeof createLogCursor>
  /** It is about to be read. */
  due: boolean
}

export function createSubscription({ host, tree, telling }: SubscriptionDeps): Subscription {
  const { query, clock } = host
  const builds = new Map<number, Followed>()
  let wish: Wish | undefined
  const tell = (method: string, ...args: readonly Value[]) => telling.tell(wish?.target, method, ...args)
  const wants = (mode: Mode) => wish !== undefined && MODES.indexOf(wish.mode) >= MODES.indexOf(mode)
  const news = createBuilderNews({
    builders: () => query.builders(),
    tell: (method, name, ...args) => void tell(method, name, ...args),
    object: (name) => tree.builder(name),
    withStates: () => wants('builds'),
  })

  /** Behind all that is told of the build already. */
  function behind(build: Followed | undefined, act: (build: Followed) => Promise<void> | void): void {
    if (build === undefined) return
    build.last = build.last
      .then(() => (wish === undefined ? undefined : act(build)))
      .catch((error: unknown) => host.log.debug('not told', { build: build.ref.id, reason: messageOf(error) }))
  }

  const about = ({ ref }: Followed): readonly Value[] => [ref.builder, tree.build(ref)]
  const aboutStep = (build: Followed, step: StepRef): readonly Value[] => [...about(build), step.name, tree.step(step)]

  function logOf(build: Followed, step: StepRef, log: string): FollowedLog {
    const key = `${step.step} ${log}`
    const known = build.logs.get(key)
    if (known) return known
    const ref = { ...step, log }
    const followed = { ref, cursor: createLogCursor(placeOf(ref), query), due: false }
    build.logs.set(key, followed)
    void tell('logStarted', ...aboutStep(build, step), log, tree.log(ref))
    return followed
  }

  const follow = (ref: BuildRef): Followed => ({
    ref,
    last: news.refresh(),
    logs: new Map(),
    step: undefined,
    early: new Set(),
    estimates: undefined,
  })

  /** As fast as the client answers: the log waits on the disk. */
  async function tellChunks(build: Followed, { ref, cursor }: FollowedLog): Promise<void> {
    const before = [...aboutStep(build, ref), ref.log, tree.log(ref)]
    for await (const { channel, text } of cursor.chunks()) {
      if (!wants('full')) return
      await tell('logChunk', ...before, channel, text)
    }
  }

  function appended(build: Followed, name: string): void {
    const log = logOf(build, build.step!, name)
    if (!wants('full') || log.due) return
    log.due = true
    behind(build, async () => {
      log.due = false
      await tellChunks(build, log)
    })
  }

  async function estimate(build: Followed): Promise<void> {
    const eta = (await query.build(build.ref.id))?.eta
    if (eta !== undefined) void tell('buildETAUpdate', ...about(build), Math.max(0, (eta.at - clock.now()) / 1000))
    const { step } = build
    if (step === undefined || !wants('logs')) return
    const progress = await expectationsOf({ ...step, finishedAt: null }, build.ref.builder, host)
    void tell('stepETAUpdate', ...aboutStep(build, step), progress.eta, progress.expectations)
  }

  function end(build: Followed): void {
    build.estimates?.[Symbol.dispose]()
    builds.delete(build.ref.id)
  }

  return {
    wish(next) {
      wish = next
      news.again()
    },
    buildersChanged: () => wish && news.refresh(),
    buildStarted({ build: id, builder, number }: BuildStarted) {
      if (!wants('builds')) return
      const ref = { id, builder, number }
      const build = follow(ref)
      builds.set(id, build)
      behind(build, () => {
        void tell('buildStarted', ...about(build))
        const interval = intervalMs(wish!.interval)
        if (wants('steps') && interval !== undefined && builds.has(id))
          build.estimates = every(clock, interval, () => estimate(build))
      })
    },
    stepStarted({ build: id, step, name, at }: StepStarted) {
      behind(builds.get(id), (build) => {
        build.step = { build: build.ref, step, name, startedAt: at }
        if (wants('steps')) void tell('stepStarted', ...aboutStep(build, build.step))
        for (const log of build.early) appended(build, log)
        build.early.clear()
      })
    },
    logAppended({ build: id, step, log }: LogAppended) {
      if (!wants('logs')) return
      behind(builds.get(id), (build) => {
        if (build.step?.step === step) appended(build, log)
        else build.early.add(log)
      })
    },
    stepFinished({ build: id, step, name, result }: StepFinished) {
      behind(builds.get(id), async (build) => {
        const ref = { build: build.ref, step, name }
        build.step = undefined
        build.early.clear()
        if (wants('logs')) {
          for (const log of (await query.build(id))?.steps[step]?.logs ?? []) {
            const followed = logOf(build, ref, log)
            if (wants('full')) await tellChunks(build, followed)
            void tell('logFinished', ...aboutStep(build, ref), log, tree.log(followed.ref))
          }
          build.logs.clear()
        }
        if (wants('steps')) void tell('stepFinished', ...aboutStep(build, ref), resultNumber(result))
      })
    },
    buildFinished({ build: id, builder, number, result }: BuildFinished) {
      if (!wants('builds')) return
      // Who came during the build is told of its end all the same.
      behind(builds.get(id) ?? follow({ id, builder, number }), (build) => {
        void tell('buildFinished', ...about(build), resultNumber(result))
        end(build)
        void news.refresh()
      })
    },
    [Symbol.dispose]() {
      wish = undefined
      for (const build of builds.values()) end(build)
    },
  }
}
