import { CiError } from '../errors.ts'

export const badAdvance = (by: unknown) =>
  new CiError({
    code: 'BOLT_TESTING_ADVANCE',
    message: `The fake clock cannot advance by "${String(by)}".`,
    hint: "Give milliseconds, or text such as '90s' or '5m'.",
  })

export const waitedInVain = (what: string, ms: number, seen: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_TESTING_WAITED',
    message: `Waited ${ms} ms in vain for ${what}${seen === '' ? '' : `; last seen: ${seen}`}.`,
    details: { what, ms, seen },
    cause,
  })

/** What calls pending on a slave's link reject with when it closes. */
export const linkLost = (slave: string, reason: string) =>
  new CiError({
    code: 'BOLT_SESSION_LOST',
    message: `The link to slave "${slave}" is gone: ${reason}.`,
    details: { slave, reason },
  })

export const nothingHeld = (slave: string, id: object) =>
  new CiError({
    code: 'BOLT_TESTING_NOT_HELD',
    message: `The scripted slave "${slave}" holds no command ${JSON.stringify(id)}.`,
    details: { slave, id },
    hint: 'A command is held from `run` until `forget`; a slave that is not resumable holds none after its link is lost.',
  })

export const callRefused = (slave: string, call: string) =>
  new CiError({
    code: 'BOLT_TESTING_REFUSED',
    message: `The scripted slave "${slave}" refuses "${call}", as the test wants it.`,
    details: { slave, call },
  })

export const stateNotJson = (plugin: string, key: string) =>
  new CiError({
    code: 'BOLT_STATE_JSON',
    message: `Plugin "${plugin}" stores what is not JSON as its state "${key}".`,
    details: { plugin, key },
    hint: 'Use strings, finite numbers, booleans, null, lists and plain objects; for a time its milliseconds, for nothing null or host.state.delete.',
  })

export const misused = (plugin: string, what: string) =>
  new CiError({
    code: 'BOLT_TESTING_MISUSED',
    message: `Plugin "${plugin}" ${what}.`,
    details: { plugin },
  })

export const testHostStopped = (plugin: string) =>
  new CiError({
    code: 'BOLT_HOST_STOPPED',
    message: `Plugin "${plugin}" is stopped: its host takes no more calls.`,
    details: { plugin },
  })

export const optionsRefused = (plugin: string, problems: readonly string[]) =>
  new CiError({
    code: 'BOLT_TESTING_OPTIONS',
    message: `The options of plugin "${plugin}" are refused by its schema: ${problems.join('; ')}.`,
    details: { plugin, problems },
  })

export const configRefused = (problems: string) =>
  new CiError({
    code: 'BOLT_TESTING_CONFIG',
    message: `The config of the rig has problems:\n${problems}`,
    details: { problems },
  })

export const buildOtherwise = (build: string, result: string, wanted: string, story: readonly string[]) =>
  new CiError({
    code: 'BOLT_TESTING_RESULT',
    message: `${build} ended with "${result}", not "${wanted}". ${toldStory(story)}`,
    details: { build, result, wanted, story },
  })

export const rigLeaks = (left: readonly string[]) =>
  new CiError({
    code: 'BOLT_TESTING_LEAK',
    message: `After the stop of the master ${left.length === 1 ? 'a timer is' : `${left.length} timers are`} left:\n${left.join('\n')}`,
    details: { left },
    hint: 'Use host.clock, or give what runs on to host.own.',
  })

/** What did happen tells why something else did not. */
export const toldStory = (story: readonly string[]) =>
  story.length === 0 ? 'nothing happened so far' : `the story so far:\n${story.map((line) => `  ${line}`).join('\n')}`

/** The same error, told with what happened before it; what shows it already is left as it is. */
export function withStory(error: unknown, story: readonly string[]): unknown {
  const text = toldStory(story)
  if (!(error instanceof Error) || error.message.includes(text)) return error
  const { message, stack = '' } = error
  const told = `${message}\n${text}`
  Object.defineProperty(error, 'message', { value: told, configurable: true, writable: true })
  Object.defineProperty(error, 'stack', {
    value: stack.replace(message, () => told),
    configurable: true,
    writable: true,
  })
  return error
}
