import { CiError } from 'boltbot/plugin-sdk'

export const lookupSlow = (who: string, ms: number) =>
  new CiError({
    code: 'BOLT_MAIL_LOOKUP',
    message: `The option "lookup" gave no address for "${who}" within ${ms / 1000} s.`,
    details: { who, ms },
    hint: 'Look at what it asks; the mail waits in the outbox meanwhile.',
  })
