import { type Clock, type Finding, type Log, listNames, messageOf } from 'boltbot/plugin-sdk'
import type { Config } from '../../config/model.ts'
import { createAddressBook } from '../../people/address-book.ts'
import { sheriffAt } from '../../people/rota.ts'

/** Whether those whom the config names can be reached, and whether the lookup of people works. */
export async function checkPeople(
  { people, slaves }: Pick<Config, 'people' | 'slaves'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<readonly Finding[]> {
  const what = 'people'
  const book = createAddressBook(people, { clock, log })
  const names = new Set([
    ...people.owners.flatMap(({ who }) => who),
    ...(people.sheriff?.rota ?? []),
    ...[...slaves.values()].flatMap(({ notifyOnMissing }) => notifyOnMissing).filter((name) => !name.includes('@')),
  ])
  // Somebody has to be asked for, to see whether the lookup works at all.
  if (people.lookup !== null && names.size === 0) names.add(process.env.USER ?? 'nobody')
  if (names.size === 0) return []
  const unknown: string[] = []
  const failed: string[] = []
  await Promise.all(
    [...names].map(async (who) => {
      try {
        if ((await book.mailAddress(who)) === null) unknown.push(who)
      } catch (error) {
        failed.push(messageOf(error))
      }
    }),
  )
  const duty = people.sheriff === null ? null : sheriffAt(people.sheriff, clock.now())
  const sheriff = duty === null ? '' : ` Sheriff today: ${duty}.`
  if (failed[0] !== undefined)
    return [{ what, verdict: 'fail', text: failed[0], cure: 'Look at people.lookup and at what it asks.' }]
  if (people.lookup === null && unknown.length > 0)
    return [{ what, verdict: 'warn', text: `No mail address is known of ${listNames(unknown)}.${sheriff}`, cure: CURE }]
  const asked = people.lookup === null ? 'All whom the config names can be reached.' : 'The lookup answers.'
  const missed = unknown.length === 0 ? '' : ` It knows no address of ${listNames(unknown)}.`
  return [{ what, verdict: 'ok', text: `${asked}${missed}${sheriff}` }]
}

const CURE = 'Add them to people.table, or give people.mailDomain.'
