import type { SubscribedBy } from 'boltbot/plugin-sdk'
import type { Store } from './store.ts'

/** Somebody wants to be told of the builds of a builder, or of a branch. */
export interface Subscription {
  readonly who: string
  readonly kind: 'builder' | 'branch'
  readonly name: string
  readonly by: SubscribedBy
}

/** A second one of the same person to the same thing takes the place of the first. */
export function subscribe(store: Store, { who, kind, name, by }: Subscription): Promise<void> {
  return store.transition('subscribe', async (trx) => {
    await trx
      .insertInto('subscriptions')
      .values({ who, kind, name, by, created_at: store.now() })
      .onConflict((conflict) => conflict.columns(['who', 'kind', 'name']).doUpdateSet({ by }))
      .execute()
  })
}

/** True when there was one. */
export function unsubscribe(store: Store, { who, kind, name }: Omit<Subscription, 'by'>): Promise<boolean> {
  return store.transition('unsubscribe', async (trx) => {
    const gone = await trx
      .deleteFrom('subscriptions')
      .where('who', '=', who)
      .where('kind', '=', kind)
      .where('name', '=', name)
      .returning('who')
      .execute()
    return gone.length > 0
  })
}

/** Of one person, or all, by name. */
export async function readSubscriptions(store: Store, who?: string): Promise<readonly Subscription[]> {
  let wanted = store.db.selectFrom('subscriptions').selectAll()
  if (who !== undefined) wanted = wanted.where('who', '=', who)
  const rows = await wanted.orderBy('who').orderBy('kind', 'desc').orderBy('name').execute()
  return rows.map(subscriptionOf)
}

/** Those to a builder, and to a branch. */
export async function readSubscribers(
  store: Store,
  { builder, branch }: { readonly builder: string; readonly branch: string | null },
): Promise<readonly Subscription[]> {
  const rows = await store.db
    .selectFrom('subscriptions')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb.and([eb('kind', '=', 'builder'), eb('name', '=', builder)]),
        eb.and([eb('kind', '=', 'branch'), eb('name', '=', branch ?? '')]),
      ]),
    )
    .orderBy('created_at')
    .execute()
  return rows.map(subscriptionOf)
}

const subscriptionOf = (row: { who: string; kind: string; name: string; by: string }): Subscription => ({
  who: row.who,
  kind: row.kind as Subscription['kind'], // stored above
  name: row.name,
  by: row.by as Subscription['by'],
})
