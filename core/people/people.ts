import { type Clock, type Log, type People, type PersonOptions, parseAuthor } from 'boltbot/plugin-sdk'
import type { PeopleSpec } from '../config/model.ts'
import { createDirectory, type Trouble } from './directory.ts'
import { proves } from './proofs.ts'

/** Who is who: the key `people` of the config, for mails, chat and access. */
export interface PeopleBook extends People {
  /** The names of those who have these proofs. @throws CiError `BOLT_PEOPLE_LOOKUP` when nobody can tell at present. */
  behind(proofs: readonly string[]): Promise<readonly string[]>
  /** @throws CiError `BOLT_PEOPLE_LOOKUP`. */
  roles(who: string): Promise<readonly string[]>
  /** Of the lookup; `null`: none. */
  trouble(): Trouble | null
}

export interface PeopleDeps {
  readonly clock: Clock
  readonly log: Log
}

export function createPeople(spec: PeopleSpec, deps: PeopleDeps): PeopleBook {
  const { mailDomain, table } = spec
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
    return typeof irc === 'string' ? [irc] : irc
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
      const names = new Set(
        proofs.flatMap((proof) => (proof.startsWith('person:') ? proof.slice('person:'.length) : [])),
      )
      for (const [who, { irc = [] }] of Object.entries(table))
        if ([irc].flat().some((id) => proofs.some((proof) => proves(proof, id)))) names.add(who)
      // A directory is asked by name: it has to say itself that the account of that name is theirs.
      const accounts = proofs.flatMap((proof) => /^account:([^@]+)/.exec(proof)?.[1] ?? [])
      for (const name of new Set(accounts)) {
        const identities = [(await directory.find(name))?.irc ?? []].flat()
        if (identities.some((id) => proofs.some((proof) => proves(proof, id)))) names.add(name)
      }
      return [...names]
    },
    roles: async (who) => (await told(who, 'roles')) ?? [],
    trouble: directory.trouble,
  }
}

/** One address part as mail servers take it unquoted. Nothing else is put into an address: `who` is typed by strangers. */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
