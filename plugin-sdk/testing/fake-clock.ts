import type { Clock, Log } from '../clock.ts'
import { durationMs } from '../duration.ts'
import { badAdvance } from './errors.ts'

/** A clock that stands still until a test moves it. The same calls give the same order, always. */
export interface FakeClock extends Clock {
  /**
   * Moves on by so many milliseconds, or by a text such as `'5m'`. Timers that come due fire in order of their time, then of
   * their making, each at its own `now()`; promises settle before, between and after. Also fires timers made on the way.
   * @throws what a timer threw, unless the clock was given a log; CiError `BOLT_TESTING_ADVANCE`.
   * @example await clock.advance('5m')
   */
  advance(by: number | string): Promise<void>
  /**
   * Lets promises settle without moving on: a few turns of the event loop. Does not wait for sockets, files or processes. Resolves when they had them.
   */
  settle(): Promise<void>
  /** Timers and sleeps that have not fired, soonest first. Empty when nothing leaks. */
  pending(): readonly PendingTimer[]
}

/** A timer or sleep that has not fired. */
export interface PendingTimer {
  /** Clock time when it fires. */
  readonly at: number
  readonly kind: 'timer' | 'sleep'
  /** The call stack that made it, innermost first. */
  readonly madeAt: string
}

/** How a {@link createFakeClock} begins. */
export interface FakeClockOptions {
  /** First `now()`; default 1,000,000,000,000 (in September 2001). */
  readonly start?: number
  /** Takes what timers throw. */
  readonly log?: Log
}

/**
 * A clock for tests.
 * @example
 * const clock = createFakeClock()
 * clock.timer(5000, () => fired.push(clock.now()))
 * await clock.advance('5s')
 */
export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  return createClockWith(options, async () => false)
}

/**
 * The same for a world that has more in it than this thread: `others` resolves when they have settled too, with whether they said anything.
 */
export function createClockWith(
  { start = 1_000_000_000_000, log }: FakeClockOptions,
  others: () => Promise<boolean>,
): FakeClock {
  let now = start
  let made = 0
  let moves: Promise<void> = Promise.resolve()
  const timers = new Set<Entry>()

  const add = (ms: number, fire: () => void, kind: PendingTimer['kind'], skip: (...args: never[]) => unknown) => {
    const entry: Entry = { at: now + Math.max(0, ms), order: made++, kind, fire, made: stackFrom(skip) }
    timers.add(entry)
    return { [Symbol.dispose]: () => void timers.delete(entry) }
  }
  const turns = async () => {
    do await settle()
    while (await others())
  }
  const next = () =>
    [...timers].reduce<Entry | undefined>((first, entry) => (isSooner(entry, first) ? entry : first), undefined)

  const move = async (ms: number) => {
    const end = now + ms
    const thrown: unknown[] = []
    await turns()
    for (let due = next(); due && due.at <= end; due = next()) {
      timers.delete(due)
      now = Math.max(now, due.at)
      try {
        due.fire()
      } catch (error) {
        if (log) log.error('timer failed', { error })
        else thrown.push(error)
      }
      await turns()
    }
    now = end
    await turns()
    if (thrown.length === 1) throw thrown[0]
    if (thrown.length > 1) throw new AggregateError(thrown, 'Several timers threw.')
  }

  const timer: Clock['timer'] = (ms, fire) => add(ms, fire, 'timer', timer)
  const sleep: Clock['sleep'] = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        handle[Symbol.dispose]()
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const handle = add(ms, wake, 'sleep', sleep)
      signal?.addEventListener('abort', abort, { once: true })
    })

  return {
    now: () => now,
    timer,
    sleep,
    advance(by) {
      const ms = typeof by === 'number' ? by : durationMs(by)
      if (ms === undefined || !(ms >= 0)) throw badAdvance(by)
      const moved = moves.then(() => move(ms))
      moves = moved.catch(() => {}) // reported to whoever called this advance, not to the next one
      return moved
    },
    settle: turns,
    pending: () =>
      [...timers]
        .sort((a, b) => (isSooner(a, b) ? -1 : 1))
        .map(({ at, kind, made }) => ({ at, kind, madeAt: textOf(made) })),
  }
}

interface Entry extends Omit<PendingTimer, 'madeAt'> {
  readonly order: number
  readonly made: Stack
  readonly fire: () => void
}

function isSooner(a: Entry, b: Entry | undefined): boolean {
  return !b || a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Each turn drains all promise jobs; several, as code under test may itself use `setImmediate` to gather work. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}

interface Stack {
  readonly stack?: string
}

function stackFrom(skip: (...args: never[]) => unknown): Stack {
  const holder: Stack = {}
  Error.captureStackTrace(holder, skip)
  return holder
}

/** Made into text for those who look: it takes longer than all else a timer does. */
function textOf({ stack = '' }: Stack): string {
  return stack.split('\n').slice(1).join('\n')
}
