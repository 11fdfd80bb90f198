/**
 * The one error class of Boltbot. Match it by `code`, never by message.
 *
 * A message is one sentence with a capital and a full stop, the offending value in quotes, then what to do.
 * Plugins make theirs in their own `errors.ts`, one function per diagnostic.
 *
 * @example
 * export const hostUnknown = (host: string) =>
 *   new CiError({ code: 'LAMP_HOST_UNKNOWN', message: `The lamp "${host}" does not answer.`, hint: 'Check the option url.' })
 */
export class CiError extends Error {
  readonly code: string
  /** JSON-safe facts for programs: what a log line, a page or an API answer shows beside the message. */
  readonly details: Readonly<Record<string, unknown>>
  /** What the reader can do, when the message does not already say it. */
  readonly hint: string | undefined

  constructor(fields: CiErrorFields) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.name = 'CiError'
    this.code = fields.code
    this.details = Object.freeze({ ...fields.details })
    this.hint = fields.hint
  }
}

/** What a {@link CiError} is made of. */
export interface CiErrorFields {
  /** `BOLT_<STAGE>_<WHAT>`; a plugin of your own uses its own prefix. Codes are API: never reused. */
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly hint?: string
  readonly cause?: unknown
}

/** True when `error` is a {@link CiError} with this code. @example if (hasCode(error, 'BOLT_QUEUE_NEVER_RUNNABLE')) host.log.warn('no slave can build it') */
export function hasCode(error: unknown, code: string): error is CiError {
  return error instanceof CiError && error.code === code
}

/**
 * True when the master refused what it was given, and would refuse it again. False when it could not be asked: the store failed, the
 * plugin was stopped; then what is at hand is kept and tried again. Never throws.
 * @example
 * await host.submitChange(change).catch((error) => {
 *   if (!isRefusal(error)) throw error
 *   host.log.warn('change refused', { why: error.message })
 * })
 */
export function isRefusal(error: unknown): error is CiError {
  return error instanceof CiError && !/^BOLT_(STORE|HOST)_/.test(error.code)
}

/** A message may hold a whole file; nobody reads so much of it. */
const LONGEST = 10_000

/**
 * The message of whatever was thrown, on one line, of what is very long the beginning. Never throws, whatever the thrown thing does when it is looked at.
 * @example host.log.warn('not told', { why: messageOf(error) })
 */
export function messageOf(error: unknown): string {
  try {
    const text = String(error instanceof Error ? error.message || error.name : error)
    const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
    return short.replace(/\s*\n\s*/g, ' ')
  } catch {
    return 'something was thrown that cannot be printed'
  }
}
