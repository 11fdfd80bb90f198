import { buildStale } from '../errors.ts'
import type { BuildClaim } from './builds.ts'
import type { Store } from './store.ts'

/** A lock scope as stored. */
export interface StoredHold {
  readonly lock: string
  readonly mode: string
}

/** Stores what a step of a build holds, until the step ends. @throws CiError `BOLT_BUILDS_STALE`. */
export function holdForStep(
  store: Store,
  claim: BuildClaim,
  step: number,
  slave: string,
  holds: readonly StoredHold[],
): Promise<void> {
  return store.transition('holdForStep', async (trx) => {
    const running = await trx
      .selectFrom('builds')
      .select('id')
      .where('id', '=', claim.build)
      .where('epoch', '=', claim.epoch)
      .where('owner', '=', claim.owner)
      .where('state', '=', 'running')
      .executeTakeFirst()
    if (running === undefined) throw buildStale(claim.build, claim.epoch)
    const rows = holds.map(({ lock, mode }) => ({ build_id: claim.build, step, lock, slave, mode }))
    await trx.insertInto('lock_holds').values(rows).execute()
  })
}

/** A step gave its locks back. Needs no claim: it takes away only what this build had. */
export function releaseForStep(store: Store, claim: BuildClaim, step: number): Promise<void> {
  return store.transition('releaseForStep', async (trx) => {
    await trx.deleteFrom('lock_holds').where('build_id', '=', claim.build).where('step', '=', step).execute()
  })
}
