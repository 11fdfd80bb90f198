import { CiError } from 'boltbot/plugin-sdk'

export const lookupFailed = (who: string, why: string, cause?: unknown) =>
  new CiError({
    code: 'BOLT_PEOPLE_LOOKUP',
    message: `"${who}" could not be looked up: ${why.replace(/\.$/, '')}.`,
    details: { who },
    hint: 'Look at "people.lookup" in the config of the master and at the directory it asks; "boltbot people" says how it does.',
    ...(cause !== undefined && { cause }),
  })
