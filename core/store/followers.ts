import type { BuildId, RequestId } from 'boltbot/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Store } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** Somebody in a place of the chat bot who is to be told what becomes of a request. */
export interface Follower {
  readonly id: number
  readonly place: string
  readonly name: string
  readonly request: RequestId
  /** The build of whose start they know; `null`: of none. */
  readonly toldBuild: BuildId | null
}

/** How a request was when somebody began to follow it. */
export interface FollowedRequest {
  readonly state: 'waiting' | 'claimed' | 'finished'
  readonly build: BuildId | null
}

/** More are of no use to people, and of harm to the master. The oldest goes first. */
const MOST = 2000
/** What has ended before is told to nobody any more: the place did not come back. */
const KEPT_MS = 24 * 3_600_000

/**
 * Stores a follower of each of these requests that has not finished. Gives how all of them are, as of that moment: the start of a build
 * that runs then counts as told.
 */
export function addFollowers(
  store: Store,
  { place, name }: Pick<Follower, 'place' | 'name'>,
  requests: readonly RequestId[],
): Promise<readonly FollowedRequest[]> {
  return store.transition('addFollowers', async (trx) => {
    const found = await trx
      .selectFrom('requests')
      .select(['id', 'state', 'build_id'])
      .where('id', 'in', [...requests])
      .execute()
    for (const { id, state, build_id } of found) {
      if (state === 'finished') continue
      const told_build = state === 'claimed' ? build_id : null
      const added = await trx
        .insertInto('followers')
        .values({ place, name, request_id: id, told_build })
        .returning('id')
        .executeTakeFirstOrThrow()
      await trx
        .deleteFrom('followers')
        .where('id', '<=', added.id - MOST)
        .execute()
    }
    return found.map(({ state, build_id }) => ({ state: state as FollowedRequest['state'], build: build_id })) // as requests.ts stores it
  })
}

export async function followersOf(db: Kysely<Tables>, requests: readonly RequestId[]): Promise<readonly Follower[]> {
  const rows = await db
    .selectFrom('followers')
    .selectAll()
    .where('request_id', 'in', [...requests])
    .orderBy('id')
    .execute()
  return rows.map(followerOf)
}

/** Those in a place, but of what ended too long ago. */
export async function followersIn(store: Store, place: string): Promise<readonly Follower[]> {
  const rows = await store.db
    .selectFrom('followers')
    .innerJoin('requests', 'requests.id', 'followers.request_id')
    .selectAll('followers')
    .where('place', '=', place)
    .where((eb) => eb.or([eb('finished_at', 'is', null), eb('finished_at', '>=', store.now() - KEPT_MS)]))
    .orderBy('followers.id')
    .execute()
  return rows.map(followerOf)
}

export async function isAnythingFollowed(db: Kysely<Tables>): Promise<boolean> {
  return (await db.selectFrom('followers').select('id').limit(1).executeTakeFirst()) !== undefined
}

/** They know of the start of this build; `null`: that it is built again. */
export function followersTold(store: Store, followers: readonly Follower[], build: BuildId | null): Promise<void> {
  const tell = async (trx: Kysely<Tables>) => {
    await trx.updateTable('followers').set({ told_build: build }).where('id', 'in', idsOf(followers)).execute()
  }
  return store.transition('followersTold', tell, { patient: true }) // lost in a power cut it is told again
}

/** They were told all there was. */
export function forgetFollowers(store: Store, followers: readonly Follower[]): Promise<void> {
  const forget = async (trx: Kysely<Tables>) => {
    await trx.deleteFrom('followers').where('id', 'in', idsOf(followers)).execute()
  }
  return store.transition('forgetFollowers', forget, { patient: true })
}

/** Forgets those whose request is no more, or finished so long ago that their place can not be expected back. */
export function removeFollowers(store: Store): Promise<void> {
  return store.transition('removeFollowers', async (trx) => {
    await trx
      .deleteFrom('followers')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('requests')
              .select('requests.id')
              .whereRef('requests.id', '=', 'followers.request_id')
              .where((eb) =>
                eb.or([
                  eb('requests.finished_at', 'is', null),
                  eb('requests.finished_at', '>=', store.now() - KEPT_MS),
                ]),
              ),
          ),
        ),
      )
      .execute()
  })
}

const idsOf = (followers: readonly Follower[]) => followers.map(({ id }) => id)

const followerOf = ({ id, place, name, request_id, told_build }: Row<'followers'>): Follower => ({
  id,
  place,
  name,
  request: request_id,
  toldBuild: told_build,
})
