import { CiError, formatDuration, type HookName, listNames, messageOf, suggest } from 'boltbot/plugin-sdk'
import { calledAt, thrownAt } from '../thrown-at.ts'

/** Diagnostics of the plugin host and the hooks, in the order of a plugin's life. */

export const duplicatePlugin = (id: string) =>
  new CiError({
    code: 'BOLT_HOST_DUPLICATE_ID',
    message: `Two plugins have the id "${id}".`,
    details: { plugin: id },
    hint: 'Give one of them an id of its own: { id: "…" }.',
  })

export const applyFailed = (plugin: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_HOST_APPLY',
    message: `Plugin "${plugin}" failed in apply: ${sentence(messageOf(cause))}`,
    details: { plugin },
    ...whence(cause),
    cause,
  })

export const applyAsync = (plugin: string) =>
  new CiError({
    code: 'BOLT_HOST_APPLY_ASYNC',
    message: `Plugin "${plugin}" has an async apply, which must be synchronous.`,
    details: { plugin },
    hint: 'Tap and register in apply; wait for things in start.',
  })

export const wrongScheduler = (plugin: string, name: string | undefined, problem: string) =>
  new CiError({
    code: 'BOLT_HOST_SCHEDULER',
    message: `Plugin "${plugin}" registers a scheduler${name ? ` "${name}"` : ''} that ${problem}.`,
    details: { plugin },
    hint: 'Give registerScheduler name, builders, initial (the first state, JSON) and decide.',
  })

export const startThrew = (plugin: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_HOST_START',
    message: `Plugin "${plugin}" failed to start: ${sentence(messageOf(cause))}`,
    details: { plugin },
    ...whence(cause),
    cause,
  })

export const startDeadline = (plugin: string, ms: number) =>
  new CiError({
    code: 'BOLT_HOST_START_DEADLINE',
    message: `Plugin "${plugin}" did not start within ${ms / 1000} s.`,
    details: { plugin, ms },
    hint: 'Let start return when things are open, and do endless work beside it.',
  })

export const chatDeadline = (plugin: string, command: string, ms: number) =>
  new CiError({
    code: 'BOLT_HOST_CHAT_DEADLINE',
    message: `The command "${command}" gave no answer within ${ms / 1000} s.`,
    details: { plugin, command, ms },
    hint: `It belongs to the plugin "${plugin}".`,
  })

export const chatSuspended = (plugin: string, command: string) =>
  new CiError({
    code: 'BOLT_HOST_CHAT_SUSPENDED',
    message: `The command "${command}" is out of order: its plugin "${plugin}" failed too often.`,
    details: { plugin, command },
    hint: 'A reconfigure gives it another chance.',
  })

export const reconfigureDeadline = (plugin: string, ms: number) =>
  new CiError({
    code: 'BOLT_HOST_RECONFIGURE_DEADLINE',
    message: `Plugin "${plugin}" did not take its new options within ${ms / 1000} s.`,
    details: { plugin, ms },
  })

/** All that went wrong at once; the single errors are in `cause.errors`. */
export const pluginsFailed = (errors: readonly unknown[]) =>
  new CiError({
    code: 'BOLT_HOST_PLUGINS_FAILED',
    message: `${errors.length === 1 ? 'A plugin' : `${errors.length} plugins`} could not be started. ${errors.map(messageOf).join(' ')}`,
    details: { failures: errors.map(messageOf) },
    ...hintsOf(errors),
    cause: new AggregateError(errors),
  })

/** What was thrown by code that gives no hint of its own. */
function whence(cause: unknown): { readonly hint?: string } {
  const place = cause instanceof CiError ? undefined : thrownAt(cause)
  const hint = cause instanceof CiError ? hintWithPlace(cause) : place && `It was thrown ${place}.`
  return hint === undefined ? {} : { hint }
}

/** The hint of an error, and where the plugin called what it came from. */
function hintWithPlace(error: CiError): string | undefined {
  const place = calledAt(error)
  return place === undefined ? error.hint : `${error.hint === undefined ? '' : `${error.hint} `}It was called ${place}.`
}

function hintsOf(errors: readonly unknown[]): { readonly hint?: string } {
  const hints = errors.flatMap((error) => (error instanceof CiError ? (ownHint(error) ?? []) : []))
  return hints.length === 0 ? {} : { hint: [...new Set(hints)].join(' ') }
}

/** One that was made of another has its place in the hint already. */
const ownHint = (error: CiError) => (error.cause === undefined ? hintWithPlace(error) : error.hint)

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

export const hostStopped = (plugin: string) =>
  new CiError({
    code: 'BOLT_HOST_STOPPED',
    message: `Plugin "${plugin}" is stopped: its host takes no more calls.`,
    details: { plugin },
    hint: 'End timers, sockets and loops when host.signal aborts, or hand them to host.own.',
  })

export const masterStopping = () =>
  new CiError({ code: 'BOLT_HOST_STOPPING', message: 'The master is stopping: no plugin can be started or changed.' })

export const alreadyStarted = () =>
  new CiError({
    code: 'BOLT_HOST_STARTED',
    message: 'The plugins were started already.',
    hint: 'Change them with reconfigure.',
  })

export const disposeDeadline = (plugin: string, what: string, ms: number) =>
  new CiError({
    code: 'BOLT_HOST_DISPOSE_DEADLINE',
    message: `Plugin "${plugin}" left ${what} open: it did not close within ${ms / 1000} s.`,
    details: { plugin, what, ms },
  })

export const notDisposable = (plugin: string, what: string) =>
  new CiError({
    code: 'BOLT_HOST_NOT_DISPOSABLE',
    message: `Plugin "${plugin}" ${what}, which cannot be disposed.`,
    details: { plugin },
    hint: 'Give something with Symbol.dispose or Symbol.asyncDispose.',
  })

export const stateNotJson = (plugin: string, key: string) =>
  new CiError({
    code: 'BOLT_STATE_JSON',
    message: `Plugin "${plugin}" stores what is not JSON as its state "${key}".`,
    details: { plugin, key },
    hint: 'Use strings, finite numbers, booleans, null, lists and plain objects; for a time its milliseconds, for nothing null or host.state.delete.',
  })

export const onlyInApply = (plugin: string, member: string) =>
  new CiError({
    code: 'BOLT_HOST_ONLY_IN_APPLY',
    message: `Plugin "${plugin}" called host.${member} after apply.`,
    details: { plugin, member },
    hint: 'Call it in apply, before apply returns.',
  })

export const durableTap = (plugin: string, hook: string) =>
  new CiError({
    code: 'BOLT_HOST_DURABLE_TAP',
    message: `The durable plugin "${plugin}" taps "${hook}", whose events are not in the journal.`,
    details: { plugin, hook },
    hint: 'Durable plugins tap stored observe hooks; put other taps in a second plugin.',
  })

export const changeFlood = (plugin: string, most: number, ms: number) =>
  new CiError({
    code: 'BOLT_HOST_FLOOD',
    message: `Plugin "${plugin}" hands in more than ${most} changes in ${formatDuration(ms)}.`,
    details: { plugin, most, ms },
    hint: 'Hand in each change once; a poller remembers in host.state how far it has come.',
  })

export const tooManyTimers = (plugin: string, most: number) =>
  new CiError({
    code: 'BOLT_HOST_TIMERS',
    message: `Plugin "${plugin}" has ${most} timers open and may not open another.`,
    details: { plugin, most },
    hint: 'Dispose timers that are no longer needed; keep one timer for the next thing that is due, and a list of the others.',
  })

export const pluginSuspended = (plugin: string) =>
  new CiError({
    code: 'BOLT_HOST_SUSPENDED',
    message: `Plugin "${plugin}" is suspended.`,
    details: { plugin },
    hint: `The log says why. Mend it and run "boltbot reconfig", or have it called again with "boltbot plugins resume ${plugin}".`,
  })

export const tooOften = (plugin: string, errors: number, last: unknown) =>
  new CiError({
    code: 'BOLT_HOST_TOO_OFTEN',
    message: `Plugin "${plugin}" failed too often; the last time with: ${messageOf(last)}`,
    details: { plugin, errors },
    cause: last,
  })

export const tapBlocked = (plugin: string, hook: HookName, ms: number) =>
  new CiError({
    code: 'BOLT_HOST_BLOCKED',
    message: `The tap of plugin "${plugin}" on ${hook} kept the whole master waiting for ${(ms / 1000).toFixed(1)} s.`,
    details: { plugin, hook, ms },
    hint: "Wait by await, compute in a thread of its own, or run the plugin in one: isolation: 'worker'.",
  })

export const tapLeaks = (plugin: string, hook: HookName, bytes: number) =>
  new CiError({
    code: 'BOLT_HOST_LEAK',
    message: `The tap of plugin "${plugin}" on ${hook} took ${Math.round(bytes / 1024 / 1024)} MB of the master's memory at one go.`,
    details: { plugin, hook, bytes },
    hint: "Keep less, read piece by piece, or run the plugin in a worker: isolation: 'worker'.",
  })

export const unknownPlugin = (plugin: string, known: Iterable<string>) =>
  new CiError({
    code: 'BOLT_HOST_UNKNOWN_PLUGIN',
    message: `There is no plugin "${plugin}". Known: ${listNames(known)}.`,
    details: { plugin },
  })

export const unknownHook = (plugin: string, hook: string, known: readonly string[]) => {
  const near = suggest(hook, known)
  return new CiError({
    code: 'BOLT_HOOKS_UNKNOWN',
    message: `Plugin "${plugin}" taps "${hook}", which is no hook.`,
    details: { plugin, hook },
    hint: near ? `Did you mean "${near}"?` : 'The page of the hooks lists them.',
  })
}

export const badTap = (plugin: string, hook: string, what: string) =>
  new CiError({
    code: 'BOLT_HOOKS_TAP',
    message: `Plugin "${plugin}" taps "${hook}" with ${what}.`,
    details: { plugin, hook },
    hint: "Write host.tap('buildFinished', (event) => …, { stage: 0 }).",
  })

export const tapDeadline = (plugin: string, hook: HookName, ms: number) =>
  new CiError({
    code: 'BOLT_HOOKS_DEADLINE',
    message: `The tap of plugin "${plugin}" on ${hook} did not end within ${ms / 1000} s.`,
    details: { plugin, hook, ms },
    hint: 'Pass the signal of its context to what it waits for.',
  })

export const refineFailed = (plugin: string, hook: HookName, cause: unknown) =>
  new CiError({
    code: 'BOLT_HOOKS_REFINE',
    message: `Plugin "${plugin}" rejected it in ${hook}: ${messageOf(cause)}`,
    details: { plugin, hook },
    cause,
  })

export const refinedNothing = (plugin: string, hook: HookName, value: unknown) =>
  new CiError({
    code: 'BOLT_HOOKS_REFINE_VALUE',
    message: `Plugin "${plugin}" returned ${shown(value)} from ${hook}, which wants an object.`,
    details: { plugin, hook },
    hint: 'Return the altered copy, or undefined to leave it as it is.',
  })

export const badChoice = (plugin: string, hook: HookName, value: unknown) =>
  new CiError({
    code: 'BOLT_HOOKS_CHOICE',
    message: `Plugin "${plugin}" chose ${shown(value)} in ${hook}, which was not offered.`,
    details: { plugin, hook },
    hint: 'Return one of those in the event, or undefined.',
  })

export const guardFailed = (plugin: string, hook: HookName, cause: unknown) =>
  new CiError({
    code: 'BOLT_HOOKS_GUARD',
    message: `Refused, as plugin "${plugin}" could not decide in ${hook}: ${messageOf(cause)}`,
    details: { plugin, hook },
    hint: 'A guard that fails is closed; mend or remove the plugin.',
    cause,
  })

export const guardAway = (plugin: string, hook: HookName, why: 'suspended' | 'stopped') =>
  new CiError({
    code: 'BOLT_HOOKS_GUARD_AWAY',
    message: `Refused, as plugin "${plugin}", which guards it in ${hook}, is ${why}.`,
    details: { plugin, hook, why },
  })

function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return `"${String(value)}"`
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}
