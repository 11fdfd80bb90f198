import { CiError } from 'boltbot/plugin-sdk'

export const lookupFailed = (who: string, why: string, cause?: unknown) =>
  new CiError({
    code: 'BOLT_PEOPLE_LOOKUP',
    message: `"${who}" could not be looked up: ${why.replace(/\.$/, '')}.`,
    details: { who },
    hint: 'Look at "people.lookup" in the config of the master and at the directory it asks; "boltbot people" says how it does.',
    ...(cause !== undefined && { cause }),
  })

export const noWayTo = (who: string, by: string) =>
  new CiError({
    code: 'BOLT_PEOPLE_NO_WAY',
    message: by === 'mail' ? `No mail address of "${who}" is known.` : `How IRC knows "${who}" is not known.`,
    details: { who, by },
    hint:
      by === 'mail'
        ? 'It would stand in "people" of the config.'
        : 'Say "iam NAME" on IRC, or let "people" of the config say it.',
  })

export const noMailOfStarts = () =>
  new CiError({
    code: 'BOLT_PEOPLE_NO_MAIL_OF_STARTS',
    message: 'No mail tells that a build has started.',
    hint: 'Leave out "started", or subscribe by IRC: --by irc.',
  })

export const subscriptionUnknown = (who: string, what: string) =>
  new CiError({
    code: 'BOLT_PEOPLE_NO_SUBSCRIPTION',
    message: `"${who}" has not subscribed to ${what}.`,
    details: { who, what },
    hint: '"subscriptions" lists what there is.',
  })

export const stranger = () =>
  new CiError({
    code: 'BOLT_PEOPLE_STRANGER',
    message: 'I do not know who you are.',
    hint: 'Say "iam NAME" with the name that changes of yours have: I mail you a code.',
  })

export const notProvable = () =>
  new CiError({
    code: 'BOLT_PEOPLE_NOT_PROVABLE',
    message: 'Anybody could have your nickname.',
    hint: 'Log in to the services of the network (NickServ, SASL) first: I link their account, not the nick.',
  })

export const tooManyCodes = (who: string) =>
  new CiError({
    code: 'BOLT_PEOPLE_CODES',
    message: `Too many codes were mailed of late for "${who}" or for you.`,
    details: { who },
    hint: 'Look for the last one, or ask again in an hour.',
  })

export const codeNotMailed = (who: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_PEOPLE_CODE_NOT_MAILED',
    message: `The code for "${who}" could not be mailed.`,
    details: { who },
    cause,
  })

export const codeWrong = (left: number) =>
  new CiError({
    code: 'BOLT_PEOPLE_CODE',
    message: 'This is not the code that was mailed for you, or it is too old.',
    details: { left },
    hint: left > 0 ? `You may try ${left} more time${left === 1 ? '' : 's'}.` : 'Say "iam NAME" for a new one.',
  })
