import type { Transaction } from 'kysely'
import { createDigest, digestUnderWay, sentSince } from './outbox-digests.ts'
import { NEW_ROW, type OutboxBody, type OutboxNotice } from './outbox-rows.ts'
import type { How, Store } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** The transitions of a message to one recipient: waiting → sending → sent, dead, dropped or waiting again; waiting → digested. */

/** A message in hand. */
export interface Claimed {
  readonly status: 'claimed'
  readonly row: Row<'outbox'>
  readonly message: Row<'outbox_messages'>
}

/** Resolves with how many recipients are new. */
export function enqueue(store: Store, source: string, notice: OutboxNotice, how?: How): Promise<number> {
  const { key, subject, thread = null, urgency } = notice
  const body = bodyText(notice)
  const put = async (trx: Transaction<Tables>) => {
    const known = await trx
      .selectFrom('outbox')
      .select('recipient')
      .where('source', '=', source)
      .where('key', '=', key)
      .execute()
    const told = new Set(known.map((row) => row.recipient))
    const fresh = notice.to.filter(({ recipient }) => !told.has(recipient))
    if (fresh.length === 0) return 0
    const now = store.now()
    const message = await trx
      .insertInto('outbox_messages')
      .values({ source, key, subject, body, thread, urgency, created_at: now })
      .returning('id')
      .executeTakeFirstOrThrow()
    for (const { recipient, schemes } of fresh)
      await trx
        .insertInto('outbox')
        .values({
          ...NEW_ROW,
          message_id: message.id,
          source,
          key,
          recipient,
          scheme: schemes[0],
          via: JSON.stringify(schemes.slice(1)),
          thread,
          created_at: now,
        })
        .execute()
    return fresh.length
  }
  return store.transition('notify', put, how)
}

/** Now, not when its turn comes: the caller may go on to change the object. */
function bodyText({ text, html, attachments, extra }: OutboxBody): string {
  return JSON.stringify({ text, html, attachments, extra })
}

export interface Budget {
  readonly count: number
  readonly perMs: number
}

/**
 * Takes a message in hand, at an address. When its recipient had enough of late it is held back instead, and what was held back goes
 * out as one digest.
 */
export function claim(
  store: Store,
  id: number,
  { address, budget }: { readonly address: string; readonly budget: Budget | null },
): Promise<Claimed | { readonly status: 'held' | 'gone' }> {
  return store.transition('claimMessage', async (trx) => {
    const now = store.now()
    const row = await trx
      .selectFrom('outbox')
      .selectAll()
      .where('id', '=', id)
      .where('state', '=', 'waiting')
      .executeTakeFirst()
    if (row === undefined) return { status: 'gone' } as const
    const message = await trx
      .selectFrom('outbox_messages')
      .selectAll()
      .where('id', '=', row.message_id)
      .executeTakeFirstOrThrow()
    if (row.recipient.startsWith('person:') && (await isToldThere(trx, row, address))) {
      const dropped = { state: 'dropped', address, error: 'This address is told already.', finished_at: now }
      await update(trx, id, dropped)
      return { status: 'gone' } as const
    }
    if (budget !== null && message.urgency !== 'high' && row.is_digest === 0) {
      const before = await digestUnderWay(trx, row.scheme, address)
      const recent = before === undefined ? await sentSince(trx, row.scheme, address, now - budget.perMs) : []
      // The first of so many that the budget allows leaves the window then.
      const leaving = recent.at(-budget.count)
      const until = before === undefined ? leaving && leaving + budget.perMs : Math.max(before, now + 1000)
      if (until !== undefined) {
        await trx
          .updateTable('outbox')
          .set({ held: 1, address, not_before: until + 1 })
          .where('id', '=', id)
          .execute()
        return { status: 'held' } as const
      }
      if (row.held === 1 && (await createDigest(trx, row, address, now))) return { status: 'held' } as const
    }
    const sending = { state: 'sending', address, attempts: row.attempts + 1, tried_at: now }
    await trx.updateTable('outbox').set(sending).where('id', '=', id).execute()
    return { status: 'claimed', row: { ...row, ...sending }, message } as const
  })
}

/** Whether somebody else of the same message is at this address: a person may be named in two ways. */
async function isToldThere(trx: Transaction<Tables>, row: Row<'outbox'>, address: string): Promise<boolean> {
  const others = await trx
    .selectFrom('outbox')
    .select(['recipient', 'address'])
    .where('source', '=', row.source)
    .where('key', '=', row.key)
    .where('scheme', '=', row.scheme)
    .where('id', '<>', row.id)
    .where('state', 'not in', ['dead', 'dropped'])
    .execute()
  const same = (other: string | null) => other?.toLowerCase() === address.toLowerCase()
  return others.some((one) => same(one.address) || same(addressIn(one.recipient, row.scheme)))
}

/** Of a recipient that is an address: `mail:jane@example.org`. */
const addressIn = (recipient: string, scheme: string) =>
  recipient.startsWith(`${scheme}:`) ? recipient.slice(scheme.length + 1) : null

export type Conclusion =
  | { readonly state: 'sent' }
  | { readonly state: 'dead' | 'dropped'; readonly error: string; readonly inDoubt?: boolean }
  | {
      readonly state: 'waiting'
      readonly error: string
      readonly notBefore: number
      readonly inDoubt?: boolean
      /** The try does not count: nobody could be reached. */
      readonly free?: boolean
    }
  | { readonly state: 'waiting'; readonly error: string; readonly scheme: string; readonly via: readonly string[] }

/** What came of a message in hand, or of finding its address. */
export function conclude(store: Store, id: number, end: Conclusion, how?: How): Promise<void> {
  const note = async (trx: Transaction<Tables>) => {
    const row = await openRow(trx, id)
    if (row === undefined) return
    const now = store.now()
    const over = { state: end.state, finished_at: now }
    if (end.state === 'sent') return update(trx, id, { ...over, error: null })
    if (end.state !== 'waiting')
      return update(trx, id, { ...over, error: end.error, in_doubt: row.in_doubt + Number(end.inDoubt === true) })
    if ('scheme' in end) {
      const { error, scheme, via } = end
      const fresh = { attempts: 0, not_before: 0, held: 0, address: null }
      return update(trx, id, { ...fresh, state: 'waiting', error, scheme, via: JSON.stringify(via) })
    }
    return update(trx, id, {
      state: 'waiting',
      error: end.error,
      not_before: end.notBefore,
      in_doubt: row.in_doubt + Number(end.inDoubt === true),
      attempts: row.attempts - Number(end.free === true && row.state === 'sending'),
    })
  }
  return store.transition('concludeMessage', note, how)
}

async function openRow(trx: Transaction<Tables>, id: number): Promise<Row<'outbox'> | undefined> {
  return trx
    .selectFrom('outbox')
    .selectAll()
    .where('id', '=', id)
    .where('state', 'in', ['waiting', 'sending'])
    .executeTakeFirst()
}

async function update(trx: Transaction<Tables>, id: number, set: Partial<Row<'outbox'>>): Promise<void> {
  await trx.updateTable('outbox').set(set).where('id', '=', id).execute()
}

/** What a master that died had in hand waits again, in doubt. Resolves with how many. */
export function takeBack(store: Store): Promise<number> {
  return store.transition('takeBackMessages', async (trx) => {
    const rows = await trx
      .updateTable('outbox')
      .set((eb) => ({
        state: 'waiting',
        in_doubt: eb('in_doubt', '+', 1),
        error: 'The master died while it handed this over: it may have been taken.',
      }))
      .where('state', '=', 'sending')
      .returning('id')
      .execute()
    return rows.length
  })
}

/** Messages for a scheme without carrier go to the next of theirs that has one. */
export function reroute(store: Store, schemes: readonly string[]): Promise<void> {
  return store.transition('rerouteMessages', async (trx) => {
    let lost = trx.selectFrom('outbox').select(['id', 'via']).where('state', '=', 'waiting').where('via', '<>', '[]')
    if (schemes.length > 0) lost = lost.where('scheme', 'not in', [...schemes])
    for (const { id, via } of await lost.execute()) {
      const rest = JSON.parse(via) as readonly string[]
      const at = rest.findIndex((scheme) => schemes.includes(scheme))
      if (at === -1) continue
      const next = { scheme: rest[at]!, via: JSON.stringify(rest.slice(at + 1)), address: null, held: 0 }
      await trx.updateTable('outbox').set(next).where('id', '=', id).execute()
    }
  })
}

/** People's order: tries a waiting message now, or a dead one anew. True when there is such a message. */
export function retryMessage(store: Store, id: number): Promise<boolean> {
  return store.transition('retryMessage', async (trx) => {
    const rows = await trx
      .updateTable('outbox')
      .set({ state: 'waiting', not_before: 0, held: 0, created_at: store.now(), finished_at: null })
      .where('id', '=', id)
      .where('state', 'in', ['waiting', 'dead', 'dropped'])
      .returning('id')
      .execute()
    return rows.length > 0
  })
}

/** People's order: a message that waits or is dead will not be sent. True when there is such a message. */
export function dropMessage(store: Store, id: number, reason: string): Promise<boolean> {
  return store.transition('dropMessage', async (trx) => {
    const rows = await trx
      .updateTable('outbox')
      .set({ state: 'dropped', error: reason, finished_at: store.now() })
      .where('id', '=', id)
      .where('state', 'in', ['waiting', 'dead'])
      .returning('id')
      .execute()
    return rows.length > 0
  })
}

/** Removes messages that were dealt with before a time. Resolves with how many; fewer than `limit`: the last. */
export function removeMessages(store: Store, before: number, limit: number): Promise<number> {
  return store.transition('removeMessages', async (trx) => {
    const old = await trx
      .selectFrom('outbox')
      .select(['id', 'message_id'])
      .where('finished_at', '<', before)
      .where('state', 'in', ['sent', 'dropped', 'digested'])
      .orderBy('finished_at')
      .limit(limit)
      .execute()
    if (old.length === 0) return 0
    const ids = old.map((row) => row.id)
    await trx.deleteFrom('outbox').where('id', 'in', ids).execute()
    await trx
      .deleteFrom('outbox_messages')
      .where('id', 'in', [...new Set(old.map((row) => row.message_id))])
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('outbox').select('outbox.id').whereRef('outbox.message_id', '=', 'outbox_messages.id'))),
      )
      .execute()
    return old.length
  })
}
