import type { InterestedPerson, People } from '../people.ts'

/** People as a test says. */
export interface TestPeople {
  /** `who` to mail address. */
  readonly people?: Readonly<Record<string, string>>
  /** `who` to how IRC knows them. */
  readonly irc?: Readonly<Record<string, readonly string[]>>
  /** Who wants to know of builds, by way; left out: those in the blamelist, by mail. */
  readonly interested?: { readonly mail?: readonly InterestedPerson[]; readonly irc?: readonly InterestedPerson[] }
}

export function createTestPeople({ people = {}, irc = {}, interested }: TestPeople): People {
  return {
    mailAddress: async (who) => people[who] ?? null,
    ircIdentities: async (who) => irc[who] ?? [],
    async interested({ blamelist }, by) {
      const blamed = blamelist.map((who) => ({ who, reasons: [{ kind: 'change' as const }] }))
      return interested?.[by] ?? (by === 'mail' ? blamed : [])
    },
  }
}
