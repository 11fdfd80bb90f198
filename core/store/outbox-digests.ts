import type { Attachment } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import { NEW_ROW, type OutboxBody } from './outbox-rows.ts'
import type { Row, Tables } from './tables.ts'

/** When a digest for an address that is on its way may be tried; `undefined`: there is none. Later messages go behind it. */
export async function digestUnderWay(
  trx: Transaction<Tables>,
  scheme: string,
  address: string,
): Promise<number | undefined> {
  const row = await trx
    .selectFrom('outbox')
    .select('not_before')
    .where('scheme', '=', scheme)
    .where('address', '=', address)
    .where('is_digest', '=', 1)
    .where('state', 'in', ['waiting', 'sending'])
    .executeTakeFirst()
  return row?.not_before
}

/** Times at which an address was sent something after a time, oldest first. */
export async function sentSince(
  trx: Transaction<Tables>,
  scheme: string,
  address: string,
  after: number,
): Promise<readonly number[]> {
  const rows = await trx
    .selectFrom('outbox')
    .select('tried_at')
    .where('scheme', '=', scheme)
    .where('address', '=', address)
    .where('tried_at', '>', after)
    .where('state', 'in', ['sent', 'sending'])
    .orderBy('tried_at')
    .execute()
  return rows.map((row) => row.tried_at!)
}

/** Puts all that was held back for an address into one message. False: it is only this one. */
export async function createDigest(
  trx: Transaction<Tables>,
  first: Row<'outbox'>,
  address: string,
  now: number,
): Promise<boolean> {
  const held = await trx
    .selectFrom('outbox')
    .innerJoin('outbox_messages', 'outbox_messages.id', 'outbox.message_id')
    .select(['outbox.id', 'outbox_messages.subject', 'outbox_messages.body', 'outbox_messages.created_at'])
    .where('outbox.scheme', '=', first.scheme)
    .where('outbox.address', '=', address)
    .where('outbox.state', '=', 'waiting')
    .where('outbox.held', '=', 1)
    .orderBy('outbox.id')
    .execute()
  if (held.length < 2) return false
  const ids = held.map(({ id }) => id)
  const { source, recipient, scheme } = first
  const name = { source, key: `digest:${ids[0]}-${ids.at(-1)}` }
  const { subject, ...body } = digestOf(held)
  const message = await trx
    .insertInto('outbox_messages')
    .values({ ...name, subject, body: JSON.stringify(body), thread: null, urgency: 'normal', created_at: now })
    .returning('id')
    .executeTakeFirstOrThrow()
  const digest = await trx
    .insertInto('outbox')
    .values({
      ...NEW_ROW,
      ...name,
      message_id: message.id,
      recipient,
      scheme,
      via: '[]',
      thread: null,
      address,
      is_digest: 1,
      created_at: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await trx
    .updateTable('outbox')
    .set({ state: 'digested', digest_id: digest.id, finished_at: now })
    .where('id', 'in', ids)
    .execute()
  return true
}

type Held = Pick<Row<'outbox_messages'>, 'subject' | 'body' | 'created_at'>

/** One text: what it is, the subjects, and then every message as it was. */
function digestOf(held: readonly Held[]): { readonly subject: string } & OutboxBody {
  const bodies = held.map(({ body }) => JSON.parse(body) as OutboxBody) // written by `enqueue`
  const list = held.map(({ subject, created_at }, i) => `${i + 1}. ${timeOf(created_at)}  ${subject}`)
  const parts = bodies.map(({ text }, i) => `${'='.repeat(72)}\n${i + 1}. ${held[i]!.subject}\n\n${text.trimEnd()}`)
  const attachments = bodies.flatMap(({ attachments = [] }, i) =>
    attachments.map((one): Attachment => ({ ...one, name: `${i + 1}-${one.name}` })),
  )
  return {
    subject: `${held.length} messages: ${held[0]!.subject} …`,
    text: [`${held.length} messages for you were held back, as there were many. In order:`, list.join('\n'), ...parts]
      .join('\n\n')
      .concat('\n'),
    ...(attachments.length > 0 && { attachments }),
  }
}

const timeOf = (at: number) => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
