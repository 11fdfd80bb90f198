import type { SlaveInfo } from 'boltbot/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Store } from './store.ts'
import type { Row, Tables } from './tables.ts'

/** What is on record about a slave, be it connected or not. */
export interface SlaveRecord {
  readonly admin: string | null
  readonly host: string | null
  readonly version: string | null
  readonly lastHeard: number | null
  readonly lostAt: number | null
  readonly absentSince: number | null
  readonly missingAt: number | null
  readonly paused: Pause | null
  readonly away: Away | null
  readonly leaving: Leaving | null
}

/** A slave that is given no builds. */
export interface Pause {
  readonly by: string
  readonly at: number
  readonly reason: string
}

/** A planned absence. */
export interface Away {
  readonly by: string
  readonly until: number
  readonly reason: string
}

/** A slave that finishes what it runs and then exits. */
export interface Leaving {
  readonly why: string
  /** The program that was asked to; `null`: it cannot be told from another. */
  readonly agent: string | null
}

/** A slave attached: its missing clock ends. `notify` goes into `slaveBack`, which is told if it had been missing. */
export function slaveConnected(
  store: Store,
  slave: { readonly name: string; readonly peer: string; readonly info: SlaveInfo; readonly notify: readonly string[] },
): Promise<void> {
  return store.transition('slaveConnected', async (trx, tell) => {
    const { name, peer, info, notify } = slave
    const before = await trx
      .selectFrom('slaves')
      .select(['absent_since', 'missing_at'])
      .where('name', '=', name)
      .executeTakeFirst()
    const now = store.now()
    const row = {
      admin: info.admin,
      host: info.host,
      version: info.version,
      peer,
      connected_at: now,
      lost_at: null,
      last_heard: now,
      absent_since: null,
      missing_at: null,
      running: null,
    }
    await trx
      .insertInto('slaves')
      .values({ name, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute()
    tell('slaveConnected', { slave: name, peer })
    if (before?.missing_at != null)
      tell('slaveBack', { slave: name, peer, since: before.absent_since ?? before.missing_at, notify })
  })
}

/** A slave's link is gone. `expected`: its missing clock starts; not when the master itself stops, or gave it up. */
export function slaveLost(
  store: Store,
  slave: {
    readonly name: string
    readonly reason: string
    readonly lastHeard: number
    /** When it was lost. */
    readonly at: number
    readonly expected: boolean
  },
): Promise<void> {
  return store.transition('slaveLost', async (trx, tell) => {
    const running = await trx
      .selectFrom('builds')
      .select(['id as build', 'builder', 'number'])
      .where('state', '=', 'running')
      .where('slave', '=', slave.name)
      .orderBy('id')
      .execute()
    await trx
      .updateTable('slaves')
      .set({
        lost_at: slave.at,
        last_heard: slave.lastHeard,
        absent_since: slave.expected ? slave.at : null,
        running: JSON.stringify(running),
      })
      .where('name', '=', slave.name)
      .execute()
    tell('slaveLost', { slave: slave.name, reason: slave.reason })
  })
}

/** Notes when connected slaves were last heard of, for the day the master is killed. */
export function keepLastHeard(store: Store, heard: ReadonlyMap<string, number>): Promise<void> {
  return store.transition('keepLastHeard', async (trx) => {
    for (const [name, at] of heard)
      await trx.updateTable('slaves').set({ last_heard: at }).where('name', '=', name).execute()
  })
}

/** What is on record, by name. */
export async function readSlaves(db: Kysely<Tables>): Promise<ReadonlyMap<string, SlaveRecord>> {
  const rows = await db.selectFrom('slaves').selectAll().execute()
  return new Map(rows.map((row) => [row.name, recordOf(row)]))
}

function recordOf(row: Row<'slaves'>): SlaveRecord {
  const { paused_at, paused_by, paused_reason, away_until, away_by, away_reason, leaving_why, leaving_agent } = row
  return {
    admin: row.admin,
    host: row.host,
    version: row.version,
    lastHeard: row.last_heard ?? row.lost_at,
    lostAt: row.lost_at,
    absentSince: row.absent_since,
    missingAt: row.missing_at,
    paused: paused_at === null ? null : { by: paused_by ?? '', at: paused_at, reason: paused_reason ?? '' },
    leaving: leaving_why === null ? null : { why: leaving_why, agent: leaving_agent },
    away: away_until === null ? null : { by: away_by ?? '', until: away_until, reason: away_reason ?? '' },
  }
}
