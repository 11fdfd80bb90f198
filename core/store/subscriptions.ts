import type { BuildNews, SubscribedBy } from 'boltbot/plugin-sdk'
import type { Store } from './store.ts'
import type { Row } from './tables.ts'

/** Somebody wants to be told of the builds of a builder, or of a branch. */
export interface Subscription {
  readonly who: string
  readonly kind: 'builder' | 'branch'
  readonly name: string
  readonly by: SubscribedBy
  /** `null`: what that way tells without being asked for more. */
  readonly events: readonly BuildNews[] | null
}

/** A second one of the same person to the same thing takes the place of the first. */
export function subscribe(store: Store, { who, kind, name, by, events: wanted }: Subscription): Promise<void> {
  const events = wanted === null ? null : JSON.stringify(wanted)
  const done = store.transition('subscribe', async (trx) => {
    await trx
      .insertInto('subscriptions')
      .values({ who, kind, name, by, events, created_at: store.now() })
      .onConflict((conflict) => conflict.columns(['who', 'kind', 'name']).doUpdateSet({ by, events }))
      .execute()
  })
  return done.finally(() => kept.delete(store))
}

/** True when there was one. */
export function unsubscribe(
  store: Store,
  { who, kind, name }: Pick<Subscription, 'who' | 'kind' | 'name'>,
): Promise<boolean> {
  const done = store.transition('unsubscribe', async (trx) => {
    const gone = await trx
      .deleteFrom('subscriptions')
      .where('who', '=', who)
      .where('kind', '=', kind)
      .where('name', '=', name)
      .returning('who')
      .execute()
    return gone.length > 0
  })
  return done.finally(() => kept.delete(store))
}

/** Of one person, or all, by name. */
export async function readSubscriptions(store: Store, who?: string): Promise<readonly Subscription[]> {
  let wanted = store.db.selectFrom('subscriptions').selectAll()
  if (who !== undefined) wanted = wanted.where('who', '=', who)
  const rows = await wanted.orderBy('who').orderBy('kind', 'desc').orderBy('name').execute()
  return rows.map(subscriptionOf)
}

/** Those to a builder, and to a branch, the oldest first. */
export async function readSubscribers(
  store: Store,
  { builder, branch }: { readonly builder: string; readonly branch: string | null },
): Promise<readonly Subscription[]> {
  const all = await kept.getOrInsertComputed(store, readAll)
  return all.filter(({ kind, name }) => name === (kind === 'builder' ? builder : branch))
}

/** They are asked for at each build that begins or ends; nobody else writes them. */
const kept = new WeakMap<Store, Promise<readonly Subscription[]>>()

async function readAll(store: Store): Promise<readonly Subscription[]> {
  try {
    const rows = await store.db.selectFrom('subscriptions').selectAll().orderBy('created_at').execute()
    return rows.map(subscriptionOf)
  } catch (error) {
    kept.delete(store)
    throw error
  }
}

const subscriptionOf = ({ who, kind, name, by, events }: Row<'subscriptions'>): Subscription => ({
  who,
  kind: kind as Subscription['kind'], // stored above
  name,
  by: by as Subscription['by'],
  events: events === null ? null : (JSON.parse(events) as Subscription['events']),
})
