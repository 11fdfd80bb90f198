import { type Clock, type Log, type LookedUpPerson, messageOf, type PersonOptions } from 'boltbot/plugin-sdk'
import { personProblem } from '../config/check-people.ts'
import type { PeopleSpec } from '../config/model.ts'
import { withDeadline } from '../host/deadline.ts'
import { lookupFailed } from './errors.ts'

/** The function `people.lookup` of the config: asked once for a name at a time, its answers kept for a while. */
export interface Directory {
  /** `null`: not known there. @throws CiError `BOLT_PEOPLE_LOOKUP` when it fails and never said anything of them. */
  find(who: string): Promise<PersonOptions | null>
  trouble(): Trouble | null
}

/** The directory does not answer as it should. */
export interface Trouble {
  readonly since: number
  /** How often in a row. */
  readonly failures: number
  readonly error: string
}

interface Kept {
  readonly answer: PersonOptions | null
  readonly at: number
}

const MOST_KEPT = 10_000
/** So many failures in a row, and it is left alone for a while: what waits for addresses must not wait for a dead server each time. */
const ENOUGH_FAILURES = 3
const REST_MS = 30_000

export function createDirectory(
  { lookup, cacheMs, lookupTimeoutMs }: Pick<PeopleSpec, 'lookup' | 'cacheMs' | 'lookupTimeoutMs'>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Directory {
  const kept = new Map<string, Kept>()
  const asked = new Map<string, Promise<PersonOptions | null>>()
  let trouble: Trouble | null = null
  let restUntil = 0

  async function ask(who: string, ask: NonNullable<typeof lookup>): Promise<PersonOptions | null> {
    const over = new AbortController()
    try {
      if (clock.now() < restUntil && trouble !== null) throw new Error(trouble.error)
      const late = () => new Error(`the lookup gave no answer within ${lookupTimeoutMs / 1000} s`)
      const given = await withDeadline(
        Promise.try(() => ask(who, { signal: over.signal })),
        { clock, ms: lookupTimeoutMs, late },
      )
      const answer = personOf(given)
      if (trouble !== null) log.info('people are looked up again', { failures: trouble.failures })
      trouble = null
      keep(who, answer)
      return answer
    } catch (error) {
      over.abort(error)
      const known = failed(who, error)
      if (known === undefined) throw lookupFailed(who, messageOf(error), error)
      return known.answer
    }
  }

  /** What was known before, however old. */
  function failed(who: string, error: unknown): Kept | undefined {
    const known = kept.get(who)
    const now = clock.now()
    if (now < restUntil) return known
    const failures = (trouble?.failures ?? 0) + 1
    trouble = { since: trouble?.since ?? now, failures, error: messageOf(error) }
    if (failures >= ENOUGH_FAILURES) restUntil = now + REST_MS
    const instead = known === undefined ? 'their mail waits' : 'as it was'
    log.error('person could not be looked up', { who, error, instead, failures })
    return known
  }

  function keep(who: string, answer: PersonOptions | null): void {
    kept.delete(who)
    kept.set(who, { answer, at: clock.now() })
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_KEPT) break
      kept.delete(oldest)
    }
  }

  return {
    async find(who) {
      if (lookup === null) return null
      const known = kept.get(who)
      if (known !== undefined && clock.now() - known.at < cacheMs) return known.answer
      const underWay = asked.get(who)
      if (underWay !== undefined) return underWay
      const asking = ask(who, lookup).finally(() => asked.delete(who))
      asked.set(who, asking)
      return asking
    },
    trouble: () => trouble,
  }
}

/** @throws Error when it is not what a lookup may give. */
function personOf(given: LookedUpPerson): PersonOptions | null {
  if (given === null || given === undefined) return null
  const person = typeof given === 'string' ? { mail: given } : given
  const problem = personProblem(person)
  if (problem !== undefined) throw new Error(`the lookup gave what it may not: ${problem}`)
  const { mail, irc, roles } = person
  return { ...(mail !== undefined && { mail }), ...(irc && { irc }), ...(roles && { roles }) }
}
