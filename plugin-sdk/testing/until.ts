import { messageOf } from '../errors.ts'
import { waitedInVain } from './errors.ts'

/** What {@link until} waits for, how long, and what it shows. */
export interface UntilOptions<T> {
  /** What is waited for, in words: `the mail to arrive`. Stands in the error. */
  readonly what: string
  /** Real milliseconds; default 10,000. */
  readonly deadline?: number
  /** What to show beside the error when it did not come. Default for conditions: the last value. */
  readonly seen?: (last: T | undefined) => string
}

/**
 * Waits, in real time, for a promise or for a condition to give something other than `false`, `null` or `undefined`; resolves
 * with it. For things a fake clock does not move: sockets, files, processes. A condition that throws is asked again; a promise
 * that rejects rejects.
 * @throws CiError `BOLT_TESTING_WAITED`, which says what it waited for.
 * @example const mail = await until(() => sink.mails[0], { what: 'the first mail' })
 * @example await until(once(server, 'listening'), { what: 'the server to listen', deadline: 2000 })
 */
export async function until<T>(
  condition: Promise<T> | (() => T | Promise<T>),
  options: UntilOptions<T>,
): Promise<NonNullable<T>> {
  const deadline = options.deadline ?? 10_000
  const watch: Watch<T> = { last: undefined, error: undefined, over: false }
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    watch.over = true
    const seen = options.seen?.(watch.last) ?? (watch.error === undefined ? shown(watch.last) : messageOf(watch.error))
    reject(waitedInVain(options.what, deadline, seen, watch.error))
  }, deadline)
  try {
    const come = typeof condition === 'function' ? poll(condition, watch) : condition
    return (await Promise.race([come, late])) as NonNullable<T> // a promise's own nothing is what its caller asked for
  } finally {
    watch.over = true
    clearTimeout(timer)
  }
}

interface Watch<T> {
  last: T | undefined
  error: unknown
  over: boolean
}

async function poll<T>(condition: () => T | Promise<T>, watch: Watch<T>): Promise<T> {
  for (;;) {
    try {
      watch.last = await condition()
      watch.error = undefined
      if (watch.last !== false && watch.last !== null && watch.last !== undefined) return watch.last
    } catch (error) {
      watch.error = error
    }
    if (watch.over) throw watch.error ?? new Error('over') // nobody listens any more: the race is lost
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value))
}
