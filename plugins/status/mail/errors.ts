import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const lookupFailed = (who: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_MAIL_LOOKUP',
    message: `The mail address of "${who}" could not be looked up: ${messageOf(cause).replace(/\.$/, '')}.`,
    details: { who },
    cause,
  })
