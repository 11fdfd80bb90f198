import { type Clock, type Log, type PersonOptions, parseAuthor } from 'boltbot/plugin-sdk'
import type { PeopleSpec } from '../config/model.ts'
import { createDirectory, type Directory } from './directory.ts'

/** What the config and its directory say of people; see `People`. */
export interface AddressBook {
  mailAddress(who: string): Promise<string | null>
  /** What the table says of them, else the directory. @throws CiError `BOLT_PEOPLE_LOOKUP`. */
  told<Key extends keyof PersonOptions>(who: string, key: Key): Promise<PersonOptions[Key] | undefined>
  readonly directory: Directory
}

export function createAddressBook(spec: PeopleSpec, deps: { readonly clock: Clock; readonly log: Log }): AddressBook {
  const { mailDomain, table } = spec
  const directory = createDirectory(spec, deps)
  const listed = (who: string) => (Object.hasOwn(table, who) ? table[who] : undefined)

  const told: AddressBook['told'] = async (who, key) => {
    const inside = parseAuthor(who).address
    for (const name of inside === null ? [who] : [who, inside]) {
      const inTable = listed(name)?.[key]
      if (inTable !== undefined) return inTable
    }
    return (await directory.find(who))?.[key]
  }

  return {
    told,
    directory,
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
  }
}

/** One address part as mail servers take it unquoted. Nothing else is put into an address: `who` is typed by strangers. */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
