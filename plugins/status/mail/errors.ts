import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const mailServerFailed = (server: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_MAIL_SERVER',
    message: `The mail server "${server}" did not take the mail: ${messageOf(cause).replace(/\.$/, '')}.`,
    details: { server },
    hint: 'It is tried again. If it goes on, check relayhost, smtpPort, smtpUser, smtpPassword and tls.',
    cause,
  })

export const mailDeferred = (server: string, addresses: readonly string[], reason: string) =>
  new CiError({
    code: 'BOLT_MAIL_DEFERRED',
    message: `The mail server "${server}" asks to try again later for ${addresses.map((one) => `"${one}"`).join(', ')}: ${reason.replace(/\.$/, '')}.`,
    details: { server, addresses, reason },
  })

export const lookupFailed = (who: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_MAIL_LOOKUP',
    message: `The mail address of "${who}" could not be looked up: ${messageOf(cause).replace(/\.$/, '')}.`,
    details: { who },
    cause,
  })
