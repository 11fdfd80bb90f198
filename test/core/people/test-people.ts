import type { PeopleOptions } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { peopleOf } from '../../../core/config/check-people.ts'
import { createPeople } from '../../../core/people/people.ts'

/** People of a config with these options. */
export function createTestPeople(options: PeopleOptions, clock = createFakeClock(), log = createMemoryLog()) {
  return createPeople(peopleOf(options), { clock, log })
}
