import { CiError } from 'boltbot/plugin-sdk'

/** Diagnostics of the outbox. */

export const noticeMalformed = (plugin: string, problem: string) =>
  new CiError({
    code: 'BOLT_OUTBOX_NOTICE',
    message: `A message of plugin "${plugin}" is malformed: ${problem}.`,
    details: { plugin, problem },
    hint: 'See Notice in the plugin SDK.',
  })

export const messageUnknown = (id: number, what: string) =>
  new CiError({
    code: 'BOLT_OUTBOX_UNKNOWN',
    message: `There is no message ${id} that can be ${what}.`,
    details: { id, what },
    hint: '"boltbot outbox --all" lists messages with their numbers and states.',
  })

export const handoverDeadline = (scheme: string, ms: number) =>
  new CiError({
    code: 'BOLT_OUTBOX_DEADLINE',
    message: `The carrier of ${scheme} did not hand over a message within ${ms / 60_000} minutes.`,
    details: { scheme, ms },
  })

export const noCarrier = (scheme: string) =>
  new CiError({
    code: 'BOLT_OUTBOX_NO_CARRIER',
    message: `No plugin of the config carries messages by ${scheme}.`,
    details: { scheme },
    hint: 'Give a mailServer or a mailNotifier in "status".',
  })
