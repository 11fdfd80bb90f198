import type { People } from '../people.ts'

/** People as a test says. */
export interface TestPeople {
  /** `who` to mail address. */
  readonly people?: Readonly<Record<string, string>>
  /** `who` to how IRC knows them. */
  readonly irc?: Readonly<Record<string, readonly string[]>>
}

export function createTestPeople({ people = {}, irc = {} }: TestPeople): People {
  return {
    mailAddress: async (who) => people[who] ?? null,
    ircIdentities: async (who) => irc[who] ?? [],
  }
}
