import { createHash, randomInt } from 'node:crypto'
import { type GuardedAction, hasCode, messageOf, type Notice, type SubscribedBy } from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'
import { unknownBuilder } from '../errors.ts'
import { recordAction } from '../store/audits.ts'
import { forgetIdentities, noteCode, readIdentities, redeemCode } from '../store/identities.ts'
import type { Store } from '../store/store.ts'
import { readSubscriptions, type Subscription, subscribe, unsubscribe } from '../store/subscriptions.ts'
import type { Trouble } from './directory.ts'
import {
  codeNotMailed,
  codeWrong,
  noMailOfStarts,
  notProvable,
  noWayTo,
  subscriptionUnknown,
  tooManyCodes,
} from './errors.ts'
import type { PeopleBook } from './people.ts'

/** What people say of themselves: who they are elsewhere, and what they want to be told of. */
export interface PeopleDesk {
  /** @throws CiError `BOLT_PEOPLE_NO_WAY` when they cannot be reached so, `BOLT_PEOPLE_NO_MAIL_OF_STARTS`; `BOLT_PEOPLE_LOOKUP`. */
  subscribe(subscription: Subscription): Promise<void>
  /** @throws CiError `BOLT_PEOPLE_NO_SUBSCRIPTION`. */
  unsubscribe(subscription: Pick<Subscription, 'who' | 'kind' | 'name'>): Promise<void>
  /** Of one person, or all. */
  subscriptions(who?: string): Promise<readonly Subscription[]>
  /**
   * Mails a code to the known address of a person, for the account that claims to be theirs.
   * @throws CiError `BOLT_PEOPLE_NOT_PROVABLE`, `BOLT_PEOPLE_NO_WAY`, `BOLT_PEOPLE_CODES`, `BOLT_ACCESS_REFUSED`.
   */
  claim(by: Claimant, who: string): Promise<void>
  /** Takes the code. @throws CiError `BOLT_PEOPLE_CODE`, `BOLT_PEOPLE_NOT_PROVABLE`. */
  prove(by: Claimant, who: string, code: string): Promise<void>
  /** Forgets what was proved of the accounts of a claimant. Gives whose they were. */
  forget(by: Claimant): Promise<readonly string[]>
  /** Who the proofs say that somebody is. */
  behind(proofs: readonly string[]): Promise<readonly string[]>
  /** All that is known of a person. */
  look(who: string): Promise<PersonView>
  /** Of the directory, and whose day it is. */
  standing(): { readonly trouble: Trouble | null; readonly sheriff: string | null }
}

/** Somebody from outside, with what is known of them. */
export interface Claimant {
  readonly who: string
  readonly via: string
  readonly proofs: readonly string[]
}

export interface PersonView {
  readonly who: string
  /** `null`: none is known. */
  readonly mail: string | null
  readonly irc: readonly string[]
  readonly roles: readonly string[]
  readonly subscriptions: readonly Subscription[]
  /** Accounts that were proved by a code, and when. */
  readonly proved: readonly { readonly identity: string; readonly provedAt: number }[]
  /** Why mail, irc or roles are not known at present. */
  readonly problem: string | null
}

export interface PeopleDeskDeps {
  readonly store: Store
  readonly people: () => PeopleBook
  readonly config: () => Pick<Config, 'projectName' | 'builders'>
  readonly notify: (notice: Notice) => Promise<unknown>
  readonly guard: (action: GuardedAction) => Promise<void>
}

const CODE_MS = 15 * 60_000

export function createPeopleDesk({ store, people, config, notify, guard }: PeopleDeskDeps): PeopleDesk {
  async function canBeReached(who: string, by: SubscribedBy): Promise<void> {
    const found = by === 'mail' ? await people().mailAddress(who) : (await people().ircIdentities(who))[0]
    if (found === null || found === undefined) throw noWayTo(who, by)
  }

  return {
    async subscribe(subscription) {
      const { kind, name, by, events } = subscription
      if (by === 'mail' && events?.includes('started')) throw noMailOfStarts()
      const { builders } = config()
      if (kind === 'builder' && !builders.has(name)) throw unknownBuilder(name, builders.keys())
      await canBeReached(subscription.who, by)
      await subscribe(store, subscription)
    },
    async unsubscribe(subscription) {
      if (!(await unsubscribe(store, subscription)))
        throw subscriptionUnknown(subscription.who, `${subscription.kind} ${subscription.name}`)
    },
    subscriptions: (who) => readSubscriptions(store, who),
    async claim(by, who) {
      const identity = accountOf(by)
      await guard({ action: 'iam', ...by, reason: `asks for a code: ${identity} is "${who}"` })
      if (!NAME.test(who)) throw noWayTo(who, 'mail')
      const address = await people().mailAddress(who)
      if (address === null) throw noWayTo(who, 'mail')
      const code = newCode()
      const id = await noteCode(store, { identity, who, digest: digestOf(code), expiresAt: store.now() + CODE_MS })
      if (id === null) throw tooManyCodes(who)
      const project = config().projectName
      await notify({
        key: `iam:${id}`,
        to: [{ scheme: 'mail', address }],
        subject: `[${project}] Is this you? ${identity}`,
        text: letter(project, who, identity, code),
        urgency: 'high',
        extra: { why: { '*': 'somebody says to be you' } },
      }).catch((error: unknown) => {
        throw codeNotMailed(who, error)
      })
    },
    async prove(by, who, code) {
      const identity = accountOf(by)
      const action: GuardedAction = { action: 'iam', ...by, reason: `${identity} is "${who}"` }
      const redeemed = await redeemCode(store, identity, who, digestOf(code.toUpperCase().replace(/[^A-Z0-9]/g, '')))
      if (redeemed.status === 'proved') return recordAction(store, action, null)
      const error = codeWrong(redeemed.status === 'wrong' ? redeemed.left : 0)
      await recordAction(store, action, error.message)
      throw error
    },
    async forget(by) {
      const accounts = by.proofs.filter((proof) => proof.startsWith('account:'))
      if (accounts.length === 0) return []
      const whose = await forgetIdentities(store, accounts)
      const reason = `${accountOf(by)} is no longer "${whose.join('", "')}"`
      if (whose.length > 0) await recordAction(store, { action: 'iam', ...by, reason }, null)
      return whose
    },
    behind: (proofs) => people().behind(proofs),
    async look(who) {
      const subscriptions = await readSubscriptions(store, who)
      const proved = (await readIdentities(store, who)).map(({ identity, provedAt }) => ({ identity, provedAt }))
      const common = { who, subscriptions, proved }
      try {
        const [mail, irc, roles] = await Promise.all([
          people().mailAddress(who),
          people().ircIdentities(who),
          people().roles(who),
        ])
        return { ...common, mail, irc, roles, problem: null }
      } catch (error) {
        if (!hasCode(error, 'BOLT_PEOPLE_LOOKUP')) throw error
        return { ...common, mail: null, irc: [], roles: [], problem: messageOf(error) }
      }
    },
    standing: () => ({ trouble: people().trouble(), sheriff: people().sheriff(store.now()) }),
  }
}

/** Of one person, not more: no brackets, no blanks. */
const NAME = /^[\w!#$%&'*+/=?^`{|}~.@-]{1,200}$/

/** The account that the claimant is logged in to, with its network. A nick or a host may be somebody else's tomorrow. */
function accountOf({ proofs }: Claimant): string {
  const accounts = proofs.filter((proof) => proof.startsWith('account:'))
  const account = accounts.find((proof) => proof.includes('@')) ?? accounts[0]
  if (account === undefined) throw notProvable()
  return account
}

/** Without letters and digits that look alike. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const newCode = () => Array.from({ length: 10 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
const digestOf = (code: string) => createHash('sha256').update(code).digest('hex')

function letter(project: string, who: string, identity: string, code: string): string {
  return [
    `Somebody who is logged in as`,
    '',
    `    ${identity.replace(/^account:/, '')}`,
    '',
    `says to the chat bot of ${project} to be you, "${who}". If that is so, say to the bot, within 15 minutes:`,
    '',
    `    iam ${who} ${code.slice(0, 5)}-${code.slice(5)}`,
    '',
    `From then on what that account asks for counts as yours. If it was not you, do nothing, and give the code to nobody.`,
    '',
  ].join('\n')
}
