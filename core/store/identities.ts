import type { Store } from './store.ts'

/** Which accounts elsewhere belong to whom: proved by codes that were mailed. */

const HOUR_MS = 3_600_000
/** Accounts do not mind case, as IRC does not. */
const fold = (identity: string) => identity.toLowerCase()

/** Mails with codes in an hour: to one person, and for one account. */
const MOST_TO_PERSON = 3
const MOST_FOR_IDENTITY = 5
/** Then a code is worth nothing any more. */
const MOST_ATTEMPTS = 5

export interface NewCode {
  readonly identity: string
  readonly who: string
  readonly digest: string
  readonly expiresAt: number
}

/** Notes a code; it takes the place of an older one for this account and person. `null`: there were too many of late. */
export function noteCode(store: Store, { identity: given, who, digest, expiresAt }: NewCode): Promise<number | null> {
  const identity = fold(given)
  return store.transition('noteIdentityCode', async (trx) => {
    const now = store.now()
    await trx
      .deleteFrom('identity_codes')
      .where('created_at', '<', now - 24 * HOUR_MS)
      .execute()
    const recent = await trx
      .selectFrom('identity_codes')
      .select(['identity', 'who'])
      .where('created_at', '>', now - HOUR_MS)
      .where((eb) => eb.or([eb('identity', '=', identity), eb('who', '=', who)]))
      .execute()
    if (recent.filter((row) => row.who === who).length >= MOST_TO_PERSON) return null
    if (recent.filter((row) => row.identity === identity).length >= MOST_FOR_IDENTITY) return null
    const { id } = await trx
      .insertInto('identity_codes')
      .values({ identity, who, digest, attempts: 0, created_at: now, expires_at: expiresAt })
      .returning('id')
      .executeTakeFirstOrThrow()
    return id
  })
}

export type Redeemed =
  | { readonly status: 'proved' }
  /** `left`: how often it can be tried again. */
  | { readonly status: 'wrong'; readonly left: number }
  | { readonly status: 'none' }

/** Takes a code: if it is the one that was mailed for this account, the account is that person's. */
export function redeemCode(store: Store, given: string, who: string, digest: string): Promise<Redeemed> {
  const identity = fold(given)
  return store.transition('redeemIdentityCode', async (trx) => {
    const now = store.now()
    const code = await trx
      .selectFrom('identity_codes')
      .selectAll()
      .where('identity', '=', identity)
      .where('who', '=', who)
      .orderBy('id', 'desc')
      .executeTakeFirst()
    if (code === undefined || code.expires_at <= now || code.attempts >= MOST_ATTEMPTS) return { status: 'none' }
    const { id } = code
    if (code.digest !== digest) {
      const attempts = code.attempts + 1
      await trx.updateTable('identity_codes').set({ attempts }).where('id', '=', id).execute()
      return { status: 'wrong', left: MOST_ATTEMPTS - attempts }
    }
    // Used up; it still counts as one of those mailed in this hour.
    await trx.updateTable('identity_codes').set({ expires_at: now }).where('id', '=', id).execute()
    await trx
      .insertInto('identities')
      .values({ identity, who, proved_at: now })
      .onConflict((conflict) => conflict.column('identity').doUpdateSet({ who, proved_at: now }))
      .execute()
    return { status: 'proved' }
  })
}

/** Forgets what was proved of these accounts. Gives whose they were. */
export function forgetIdentities(store: Store, given: readonly string[]): Promise<readonly string[]> {
  const identities = given.map(fold)
  return store.transition('forgetIdentities', async (trx) => {
    await trx
      .deleteFrom('identity_codes')
      .where('identity', 'in', identities)
      .where('expires_at', '>', store.now())
      .execute()
    const gone = await trx.deleteFrom('identities').where('identity', 'in', identities).returning('who').execute()
    return [...new Set(gone.map(({ who }) => who))]
  })
}

/** Whose these accounts are. */
export async function whoseIdentities(store: Store, given: readonly string[]): Promise<readonly string[]> {
  if (given.length === 0) return []
  const identities = given.map(fold)
  const rows = await store.db
    .selectFrom('identities')
    .select('who')
    .distinct()
    .where('identity', 'in', identities)
    .execute()
  return rows.map(({ who }) => who)
}

/** The accounts of a person, or all there are. */
export async function readIdentities(
  store: Store,
  who?: string,
): Promise<readonly { readonly identity: string; readonly who: string; readonly provedAt: number }[]> {
  let wanted = store.db.selectFrom('identities').selectAll()
  if (who !== undefined) wanted = wanted.where('who', '=', who)
  const rows = await wanted.orderBy('who').orderBy('identity').execute()
  return rows.map(({ identity, who: person, proved_at }) => ({ identity, who: person, provedAt: proved_at }))
}
