import { type Change, type Clock, type Log, type People, type PersonOptions, parseAuthor } from 'boltbot/plugin-sdk'
import type { PeopleSpec } from '../config/model.ts'
import { readIdentities, whoseIdentities } from '../store/identities.ts'
import type { Store } from '../store/store.ts'
import { readSubscribers } from '../store/subscriptions.ts'
import { createDirectory, type Trouble } from './directory.ts'
import { interestedIn } from './interested.ts'
import { proves } from './proofs.ts'
import { sheriffAt } from './rota.ts'

/** Who is who: the key `people` of the config, for mails, chat and access. */
export interface PeopleBook extends People {
  /** The names of those who have these proofs. @throws CiError `BOLT_PEOPLE_LOOKUP` when nobody can tell at present. */
  behind(proofs: readonly string[]): Promise<readonly string[]>
  /** @throws CiError `BOLT_PEOPLE_LOOKUP`. */
  roles(who: string): Promise<readonly string[]>
  /** Whose day it is; `null`: nobody's. */
  sheriff(at: number): string | null
  /** Of the lookup; `null`: none. */
  trouble(): Trouble | null
}

export interface PeopleDeps {
  readonly store: Store
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
  readonly clock: Clock
  readonly log: Log
}

export function createPeople(spec: PeopleSpec, deps: PeopleDeps): PeopleBook {
  const { mailDomain, table } = spec
  const { store, changesOf } = deps
  const directory = createDirectory(spec, deps)
  const listed = (who: string) => (Object.hasOwn(table, who) ? table[who] : undefined)

  /** What the table says of them, else the directory. */
  async function told<Key extends keyof PersonOptions>(who: string, key: Key): Promise<PersonOptions[Key] | undefined> {
    const inside = parseAuthor(who).address
    for (const name of inside === null ? [who] : [who, inside]) {
      const inTable = listed(name)?.[key]
      if (inTable !== undefined) return inTable
    }
    return (await directory.find(who))?.[key]
  }

  async function ircIdentities(who: string): Promise<readonly string[]> {
    const irc = (await told(who, 'irc')) ?? []
    const proved = await readIdentities(store, who)
    return [...new Set([irc, proved.map(({ identity }) => identity)].flat())]
  }

  return {
    ircIdentities,
    async mailAddress(who) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
      if (/[\u0000-\u001f\u007f]/.test(who)) return null
      const found = await told(who, 'mail')
      if (found !== undefined) return found
      const inside = parseAuthor(who).address
      if (inside !== null) return inside
      const local = who.trim()
      return mailDomain !== null && ATOM.test(local) ? `${local}@${mailDomain}` : null
    },
    async behind(proofs) {
      const fits = (irc: PersonOptions['irc'] = []) => [irc].flat().some((id) => proofs.some((one) => proves(one, id)))
      const names = new Set(await whoseIdentities(store, proofs))
      for (const [, who = ''] of proofs.map((proof) => /^person:(.+)$/s.exec(proof) ?? []))
        if (who !== '') names.add(who)
      for (const [who, { irc }] of Object.entries(table)) if (fits(irc)) names.add(who)
      // A directory is asked by name: it has to say itself that the account of that name is theirs.
      const accounts = new Set(proofs.flatMap((proof) => /^account:([^@]+)/.exec(proof)?.[1] ?? []))
      for (const name of accounts) {
        try {
          if (fits((await directory.find(name))?.irc)) names.add(name)
        } catch (error) {
          if (names.size === 0) throw error
        }
      }
      return [...names]
    },
    interested: (build, by) =>
      interestedIn({ spec, changesOf, subscribers: (of) => readSubscribers(store, of) }, build, by),
    sheriff: (at) => (spec.sheriff === null ? null : sheriffAt(spec.sheriff, at)),
    roles: async (who) => (await told(who, 'roles')) ?? [],
    trouble: directory.trouble,
  }
}

/** One address part as mail servers take it unquoted. Nothing else is put into an address: `who` is typed by strangers. */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
