import {
  type Clock,
  durationMs,
  type GuardedAction,
  type Log,
  messageOf,
  type Poller,
  type PollerView,
  type Random,
  repositoryKey,
} from 'boltbot/plugin-sdk'
import { pollerInvalid, pollerStopped, pollTooLong } from './errors.ts'
import { createPollerNames } from './pollers/poller-names.ts'
import { createTurns } from './pollers/poller-turns.ts'
import { type PollerHealth, readPoller, recordPoll } from './store/pollers.ts'
import type { Store } from './store/store.ts'

/**
 * The frame of all pollers: at launch and then every interval (±10 % by chance, so that a hundred of them do not fire at once),
 * never two polls of one repository at a time, each with a deadline. A failing poller backs off, doubling up to an hour; who asks for
 * a poll gets it at once.
 */
export interface Pollers {
  /** @throws CiError for a bad interval or deadline. */
  register(plugin: string, poller: Poller): AsyncDisposable
  /** Begins to poll; pollers registered later begin at once. */
  start(): void
  /**
   * Has those of a name poll at once; resolves with how each is called when their polls have ended.
   * @param name as in `list`, or what stands before or after its `/`, or a repository.
   * @throws CiError of the name, of a guard, or of the poll.
   */
  poll(name: string, by: { readonly who: string; readonly via: string }): Promise<readonly string[]>
  /**
   * Has those that look at a repository poll soon, whichever way its address is written; gives how many there are. With a branch only
   * those that watch it, and have polled before: a first poll notes where things stand and tells nothing.
   */
  pollSoon(repository: string, options?: { readonly branch?: string }): number
  list(): readonly PollerView[]
}

export interface PollersDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly store: Store
  readonly guard: (action: GuardedAction) => Promise<void>
}

const MAX_BACKOFF_MS = 3_600_000
const NEVER: PollerHealth = { polledAt: 0, goodAt: null, failures: 0, error: null }

export function createPollers(deps: PollersDeps): Pollers {
  const { store, clock, random, log, guard } = deps
  const turns = createTurns()
  const running = new Map<string, Running>()
  const named = createPollerNames(running)
  const waitingForStart = new Set<() => void>()
  let started = false

  async function pollOnce(source: string, poller: Poller, deadline: number, stop: AbortSignal): Promise<void> {
    const over = new AbortController()
    const late = Promise.withResolvers<never>()
    using _timer = clock.timer(deadline, () => {
      const error = pollTooLong(source, deadline / 1000)
      over.abort(error)
      late.reject(error)
    })
    // A poll that does not heed its signal is left behind: the next one must not wait for it for ever.
    await Promise.race([poller.poll({ signal: AbortSignal.any([stop, over.signal]) }), late.promise])
  }

  return {
    register(plugin, poller) {
      const source = `${plugin}/${poller.name}`
      const interval = durationMs(poller.interval)
      const deadline = durationMs(poller.deadline ?? '10m')
      if (interval === undefined || interval === 0) throw pollerInvalid(source, 'interval')
      if (deadline === undefined || deadline === 0) throw pollerInvalid(source, 'deadline')
      const stop = new AbortController()
      /** Who asked for a poll that has not begun. */
      const asking: PromiseWithResolvers<void>[] = []
      let wake: (() => void) | undefined
      let health = NEVER
      let state: PollerView['state'] = 'waiting'
      let next: number | null = null
      let done: Promise<void> = Promise.resolve()

      async function loop(): Promise<void> {
        health = (await readPoller(store, source).catch(failedToRead)) ?? NEVER
        const atLaunch = poller.pollAtLaunch !== false
        next = atLaunch ? clock.now() : Math.max(clock.now(), (health.polledAt || clock.now()) + jittered(interval!))
        while (!stop.signal.aborted) {
          if (asking.length === 0 && next > clock.now()) await sleepUntil(next)
          state = 'queued'
          using _turn = await turns.take(repositoryKey(poller.repository ?? source), stop.signal)
          state = 'polling'
          await poll()
          state = 'waiting'
          const backoff = Math.max(interval!, Math.min(interval! * 2 ** Math.min(health.failures, 20), MAX_BACKOFF_MS))
          next = clock.now() + jittered(health.failures === 0 ? interval! : backoff)
        }
      }

      async function poll(): Promise<void> {
        const asked = asking.splice(0)
        const polledAt = clock.now()
        try {
          await pollOnce(source, poller, deadline!, stop.signal)
          health = { polledAt, goodAt: polledAt, failures: 0, error: null }
          for (const one of asked) one.resolve()
        } catch (error) {
          for (const one of asked) one.reject(error)
          stop.signal.throwIfAborted()
          health = { ...health, polledAt, failures: health.failures + 1, error: messageOf(error) }
          log.warn('poll failed', { source, failures: health.failures, error })
        }
        await recordPoll(store, source, health).catch((error: unknown) =>
          log.error('how a source fares was not stored', { source, error }),
        )
      }

      async function sleepUntil(at: number): Promise<void> {
        stop.signal.throwIfAborted()
        const woken = Promise.withResolvers<void>()
        wake = woken.resolve
        const stopped = () => woken.reject(stop.signal.reason)
        stop.signal.addEventListener('abort', stopped, { once: true })
        using _timer = clock.timer(at - clock.now(), woken.resolve)
        await woken.promise.finally(() => stop.signal.removeEventListener('abort', stopped))
      }

      function failedToRead(error: unknown): undefined {
        log.warn('how a source fared is not known', { source, error })
      }

      const begin = () => {
        done = loop().catch(() => {}) // what it awaits rejects only when it is stopped
      }
      running.set(source, {
        plugin,
        poller,
        view: () => ({
          source,
          repository: poller.repository ?? null,
          state,
          lastPoll: health.polledAt || null,
          lastGood: health.goodAt,
          failures: health.failures,
          error: health.error,
          next: state === 'waiting' ? next : null,
        }),
        ask() {
          const asked = Promise.withResolvers<void>()
          if (stop.signal.aborted || !started) asked.reject(pollerStopped(source))
          else asking.push(asked)
          wake?.()
          return asked.promise
        },
      })
      if (started) begin()
      else waitingForStart.add(begin)
      return {
        async [Symbol.asyncDispose]() {
          waitingForStart.delete(begin)
          running.delete(source)
          stop.abort()
          for (const asked of asking.splice(0)) asked.reject(pollerStopped(source))
          await done
        },
      }
    },
    start() {
      started = true
      for (const begin of waitingForStart) begin()
      waitingForStart.clear()
    },
    async poll(name, by) {
      await guard({ action: 'poll', ...by, reason: `poll ${name}` })
      const found = named(name)
      await Promise.all(found.map((one) => one.ask()))
      return found.map((one) => one.view().source)
    },
    pollSoon(repository, { branch } = {}) {
      const key = repositoryKey(repository)
      const found = [...running.values()].filter(
        ({ poller, view }) =>
          poller.repository !== undefined &&
          repositoryKey(poller.repository) === key &&
          (branch === undefined || (poller.watches?.(branch) !== false && view().lastGood !== null)),
      )
      for (const one of found) one.ask().catch(() => {}) // it is recorded as every poll is
      return found.length
    },
    list: () => [...running.values()].map((one) => one.view()),
  }

  function jittered(ms: number): number {
    return ms * (0.9 + random.next() * 0.2)
  }
}

interface Running {
  readonly plugin: string
  readonly poller: Poller
  view(): PollerView
  /** Settles as a poll that begins after this call. */
  ask(): Promise<void>
}
