import type { Change, PeopleOptions } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { peopleOf } from '../../../core/config/check-people.ts'
import { createPeople } from '../../../core/people/people.ts'
import { openSqliteStore } from '../../../core/store/open.ts'

/** People of a config with these options, over a store of their own. */
export async function createTestPeople(
  options: PeopleOptions,
  clock = createFakeClock(),
  log = createMemoryLog(),
  changes: readonly Change[] = [],
) {
  const store = await openSqliteStore({ file: ':memory:', clock, log })
  const changesOf = async (ids: readonly number[]) => changes.filter(({ id }) => ids.includes(id))
  return createPeople(peopleOf(options), { clock, log, store, changesOf, isQuiet: async () => false })
}
