import { type Clock, durationMs, type Log, messageOf, type Poller, type Random } from 'boltbot/plugin-sdk'
import { pollerInvalid, pollTooLong } from './errors.ts'

/**
 * The frame of all pollers: at launch and then every interval (±10 % by chance, so that a hundred of them do not fire at once),
 * never two polls of one poller at a time, each with a deadline. A failing poller backs off, doubling up to an hour.
 */
export interface Pollers {
  /** @throws CiError for a bad interval or deadline. */
  register(plugin: string, poller: Poller): AsyncDisposable
  /** Begins to poll; pollers registered later begin at once. */
  start(): void
}

export interface PollersDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A poll failed again. */
  readonly failing: (event: { source: string; error: string; failures: number }) => Promise<void>
}

const MAX_BACKOFF_MS = 3_600_000

export function createPollers({ clock, random, log, failing }: PollersDeps): Pollers {
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
      let done: Promise<void> = Promise.resolve()

      async function loop(): Promise<void> {
        let failures = 0
        if (poller.pollAtLaunch === false) await clock.sleep(jittered(interval!), stop.signal)
        while (!stop.signal.aborted) {
          try {
            await pollOnce(source, poller, deadline!, stop.signal)
            failures = 0
          } catch (error) {
            if (stop.signal.aborted) return
            failures += 1
            log.warn('poll failed', { source, failures, error })
            await failing({ source, error: messageOf(error), failures }).catch((cause: unknown) =>
              log.error('failure of a source not stored', { source, error: cause }),
            )
          }
          const backoff = Math.max(interval!, Math.min(interval! * 2 ** Math.min(failures, 20), MAX_BACKOFF_MS))
          await clock.sleep(jittered(failures === 0 ? interval! : backoff), stop.signal)
        }
      }
      const begin = () => {
        done = loop().catch(() => {}) // only the sleep rejects, when stopped
      }
      if (started) begin()
      else waitingForStart.add(begin)
      return {
        async [Symbol.asyncDispose]() {
          waitingForStart.delete(begin)
          stop.abort()
          await done
        },
      }
    },
    start() {
      started = true
      for (const begin of waitingForStart) begin()
      waitingForStart.clear()
    },
  }

  function jittered(ms: number): number {
    return ms * (0.9 + random.next() * 0.2)
  }
}
