import type { Change, Clock, InterestingBuild, Log, People, PersonOptions } from 'boltbot/plugin-sdk'
import type { PeopleSpec } from '../config/model.ts'
import { readIdentities, whoseIdentities } from '../store/identities.ts'
import type { Store } from '../store/store.ts'
import { readSubscribers } from '../store/subscriptions.ts'
import { createAddressBook } from './address-book.ts'
import type { Trouble } from './directory.ts'
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
  /** Whether a build only repeats a failure that somebody looks after. */
  readonly isQuiet: (build: InterestingBuild) => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
}

export function createPeople(spec: PeopleSpec, deps: PeopleDeps): PeopleBook {
  const { table } = spec
  const { store, changesOf, isQuiet } = deps
  const { mailAddress, told, directory } = createAddressBook(spec, deps)

  async function ircIdentities(who: string): Promise<readonly string[]> {
    const irc = (await told(who, 'irc')) ?? []
    const proved = await readIdentities(store, who)
    return [...new Set([irc, proved.map(({ identity }) => identity)].flat())]
  }

  return {
    ircIdentities,
    mailAddress,
    async behind(proofs) {
      // A nickname proves nothing, whoever says that it does.
      const known = proofs.filter((proof) => !proof.startsWith('nick:'))
      const fits = (irc: PersonOptions['irc'] = []) => [irc].flat().some((id) => known.some((one) => proves(one, id)))
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
      interestedIn({ spec, changesOf, isQuiet, subscribers: (of) => readSubscribers(store, of) }, build, by),
    sheriff: (at) => (spec.sheriff === null ? null : sheriffAt(spec.sheriff, at)),
    roles: async (who) => (await told(who, 'roles')) ?? [],
    trouble: directory.trouble,
  }
}
