import type { Transaction } from 'kysely'

import type { Tables } from './tables.ts'

/** Builds of one builder that are looked through: tries come one soon after the other. */
const BUILDS = 1000
const PLAIN = 'slave lost'

export interface Attempt {
  readonly builder: string
  readonly number: number
  readonly slave: string
  readonly requests: readonly number[]
}

/** The builds there were for the requests of this one, oldest first, it last: `#4 on bot-1, #5 on bot-2, #7 on bot-1`. */
export async function triesOf(
  trx: Transaction<Tables>,
  { builder, number, slave, requests }: Attempt,
): Promise<string> {
  const rows = await trx
    .selectFrom('builds')
    .select(['number', 'slave', 'requests', 'text'])
    .where('builder', '=', builder)
    .where('number', '>', number - BUILDS)
    .where('number', '<', number)
    .where('result', '=', 'retry')
    .orderBy('number')
    .execute()
  const before = rows
    .filter((row) => (JSON.parse(row.requests) as number[]).some((id) => requests.includes(id)))
    .map((row) => {
      const text = (JSON.parse(row.text) as string[]).join(' ')
      return `#${row.number} on ${row.slave}${text === PLAIN ? '' : ` (${text})`}`
    })
  return [...before, `#${number} on ${slave}`].join(', ')
}
