import type { Eta, PropertyMap, RequestId, SourceStamp } from 'boltbot/plugin-sdk'
import { sql } from 'kysely'
import { noteChanges } from './build-changes.ts'
import { prepared } from './prepared.ts'
import type { Store } from './store.ts'
import type { Row } from './tables.ts'

/** Who may write about a build: only the holder of its current claim. Every write of a build carries it. */
export interface BuildClaim {
  readonly build: number
  readonly epoch: number
  readonly owner: string
}

export interface NewBuild {
  readonly owner: string
  readonly builder: string
  readonly slave: string
  /** In queue order; all of them are claimed or none. */
  readonly requests: readonly RequestId[]
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly blamelist: readonly string[]
  readonly configHash: string
  /** The slave program that keeps its commands over broken links; `null`: they die with the link. */
  readonly agent: string | null
  /** When it will have ended, if that is known. */
  readonly eta?: (now: number) => Eta | undefined
  /** Lease from now on, ms. */
  readonly lease: number
  readonly locks: readonly { readonly lock: string; readonly mode: string }[]
  /** Properties of the build once its number is known. */
  readonly properties: (number: number) => PropertyMap
}

export interface StartedBuild extends BuildClaim {
  readonly number: number
  readonly properties: PropertyMap
  readonly startedAt: number
}

/**
 * Claims requests for a slave and gives the build its number. `null` when one of the requests does not wait any more (it was
 * cancelled, or another master was faster): nothing has changed then.
 */
export function startBuild(store: Store, input: NewBuild): Promise<StartedBuild | null> {
  return store
    .transition('startBuild', async (trx, tell) => {
      const now = store.now()
      const { rows: waiting } = await epochsOfWaiting(trx, { ids: input.requests })
      if (waiting.length < input.requests.length) throw new ClaimLost()
      const epoch = Math.max(...waiting.map((row) => row.epoch)) + 1
      const number = (await takeNumber(trx, { builder: input.builder })).rows[0]!.next_number - 1
      const properties = input.properties(number)
      const inserted = await insertBuild(trx, {
        builder: input.builder,
        number,
        requests: JSON.stringify(input.requests),
        slave: input.slave,
        owner: input.owner,
        epoch,
        lease_until: now + input.lease,
        reason: input.reason,
        source_stamp: JSON.stringify(input.sourceStamp),
        branch: input.sourceStamp.branch ?? '',
        properties: JSON.stringify(properties),
        config_hash: input.configHash,
        agent: input.agent,
        started_at: now,
      })
      const build = inserted.rows[0]!.id
      await claimRequests(trx, { ids: input.requests, owner: input.owner, epoch, slave: input.slave, build })
      for (const { lock, mode } of input.locks) await insertHold(trx, { build, lock, slave: input.slave, mode })
      const { builder, slave, requests, reason, sourceStamp, blamelist } = input
      await noteChanges(trx, build, sourceStamp.changes)
      const eta = input.eta?.(now)
      tell('buildStarted', {
        build,
        builder,
        number,
        slave,
        requests,
        changes: sourceStamp.changes,
        blamelist,
        reason,
        branch: sourceStamp.branch,
        revision: sourceStamp.revision,
        ...(eta && { eta }),
      })
      return { build, epoch, owner: input.owner, number, properties, startedAt: now }
    })
    .catch((error: unknown) => {
      if (error instanceof ClaimLost) return null
      throw error
    })
}

const epochsOfWaiting = prepared((db, { ids }: { ids: readonly number[] }) =>
  db.selectFrom('requests').select('epoch').where('id', 'in', ids).where('state', '=', sql.lit('waiting')),
)

const takeNumber = prepared((db, { builder }: { builder: string }) =>
  db
    .insertInto('builders')
    .values({ name: builder, next_number: 1 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ next_number: sql`builders.next_number + 1` }))
    .returning('next_number'),
)

type BuildRow = Pick<
  Row<'builds'>,
  | 'builder'
  | 'number'
  | 'requests'
  | 'slave'
  | 'owner'
  | 'epoch'
  | 'lease_until'
  | 'reason'
  | 'source_stamp'
  | 'branch'
  | 'properties'
  | 'config_hash'
  | 'agent'
  | 'started_at'
>

const insertBuild = prepared((db, row: BuildRow) =>
  db
    .insertInto('builds')
    .values({ ...row, state: 'running', text: '[]' })
    .returning('id'),
)

const claimRequests = prepared(
  (db, given: { ids: readonly number[]; owner: string; epoch: number; slave: string; build: number }) =>
    db
      .updateTable('requests')
      .set({
        state: 'claimed',
        owner: given.owner,
        epoch: given.epoch,
        last_slave: given.slave,
        build_id: given.build,
      })
      .where('id', 'in', given.ids),
)

const insertHold = prepared((db, given: { build: number; lock: string; slave: string; mode: string }) =>
  db
    .insertInto('lock_holds')
    .values({ build_id: given.build, step: -1, lock: given.lock, slave: given.slave, mode: given.mode }),
)

/** Ends the transition without a trace; never leaves this file. */
class ClaimLost extends Error {}

/** Keeps the claims of this master's running builds alive. */
export function renewLeases(store: Store, owner: string, lease: number): Promise<void> {
  return store.transition('renewLeases', async (trx) => {
    await trx
      .updateTable('builds')
      .set({ lease_until: store.now() + lease })
      .where('owner', '=', owner)
      .where('state', '=', 'running')
      .execute()
  })
}
