import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import type { RetentionSpec } from '../../../core/config/model.ts'
import { acceptChange } from '../../../core/store/changes.ts'
import { advanceCursor, journalHead, readEvents } from '../../../core/store/journal.ts'
import { createMemoryLogStore } from '../../../core/store/logs/memory-log-store.ts'
import { createRetention } from '../../../core/store/retention.ts'
import type { NewRow } from '../../../core/store/tables.ts'
import { createSqliteRig, type SqliteRig } from './sqlite-rig.ts'

const DAY = 86_400_000
const FOREVER: RetentionSpec = {
  builds: { ageMs: null, count: null },
  logs: { ageMs: null, count: null },
  changes: { ageMs: null, count: null },
  journal: { ageMs: null },
}

describe('retention', () => {
  it('removes nothing when everything is kept for ever', async () => {
    await using rig = await createRig(FOREVER)
    await rig.builds('full', 5)
    assert.deepEqual(await rig.retention.run(), { builds: 0, logs: 0, changes: 0, events: 0 })
    assert.equal((await rig.left()).builds.length, 5)
  })

  it('removes builds by age with their steps, requests, buildsets and logs', async () => {
    await using rig = await createRig({ ...FOREVER, builds: { ageMs: 3 * DAY, count: null } })
    const ids = await rig.builds('full', 120)
    await rig.clock.advance(2 * DAY)
    const young = await rig.builds('full', 2)
    await rig.clock.advance(2 * DAY)
    assert.deepEqual(await rig.retention.run(), { builds: 120, logs: 0, changes: 0, events: 0 })
    const left = await rig.left()
    assert.deepEqual(
      [left.builds, left.steps, left.requests, left.buildsets].map((rows) => rows.length),
      [2, 2, 2, 2],
    )
    assert.deepEqual(left.builds, young)
    assert.equal(await rig.logs.length(logOf(ids[0]!)), 0)
    assert.equal(await rig.logs.length(logOf(young[0]!)), 4)
  })

  it('keeps the newest so many of each builder, and all that run', async () => {
    await using rig = await createRig({ ...FOREVER, builds: { ageMs: null, count: 3 } })
    const running = await rig.builds('full', 1, { state: 'running', finished_at: null, result: null })
    const full = await rig.builds('full', 6)
    const docs = await rig.builds('docs', 2)
    assert.equal((await rig.retention.run()).builds, 3)
    assert.deepEqual((await rig.left()).builds, [...running, ...full.slice(3), ...docs])
  })

  it('removes logs by age and by count, and leaves their builds', async () => {
    await using rig = await createRig({ ...FOREVER, logs: { ageMs: 3 * DAY, count: 5 } })
    const old = await rig.builds('full', 60)
    await rig.clock.advance(4 * DAY)
    const young = await rig.builds('full', 7)
    assert.deepEqual(await rig.retention.run(), { builds: 0, logs: 62, changes: 0, events: 0 })
    for (const id of [...old, ...young.slice(0, 2)]) assert.equal(await rig.logs.length(logOf(id)), 0)
    for (const id of young.slice(2)) assert.equal(await rig.logs.length(logOf(id)), 4)
    assert.equal((await rig.left()).builds.length, 67)
    assert.deepEqual((await rig.retention.run()).logs, 0, 'those are not looked for again')
  })

  it('keeps a buildset while one of its requests has a build that stays', async () => {
    await using rig = await createRig({ ...FOREVER, builds: { ageMs: null, count: 1 } })
    const [first, second] = await rig.builds('full', 2)
    const shared = (await rig.left()).buildsets[0]!
    const { db } = rig.store
    const theirs = await db
      .selectFrom('requests')
      .select(['id', 'buildset_id'])
      .where('build_id', '=', second!)
      .execute()
    await rig.store.transition('share', async (trx) => {
      await trx.updateTable('requests').set({ buildset_id: shared }).where('build_id', '=', second!).execute()
      await trx.deleteFrom('buildsets').where('id', '=', theirs[0]!.buildset_id).execute()
    })
    await rig.retention.run()
    const left = await rig.left()
    assert.deepEqual(left.builds, [second])
    assert.ok(!left.builds.includes(first!))
    assert.deepEqual(left.buildsets, [shared])
  })

  it('removes buildsets that were cancelled before any build, not those that wait', async () => {
    await using rig = await createRig({ ...FOREVER, builds: { ageMs: DAY, count: null } })
    await rig.unbuilt('finished')
    const waiting = await rig.unbuilt('waiting')
    await rig.clock.advance(2 * DAY)
    await rig.retention.run()
    assert.deepEqual((await rig.left()).buildsets, [waiting])
  })

  it('removes changes by age and by count, but none that something refers to', async () => {
    await using rig = await createRig({ ...FOREVER, changes: { ageMs: DAY, count: null } })
    const { store } = rig
    const submit = async (comments: string) =>
      (await acceptChange(store, { who: 'jane', files: [], comments }, 'test')).change.id
    const ids: number[] = []
    for (let i = 0; i < 600; i++) ids.push(await submit(`change ${i}`))
    await rig.clock.advance(2 * DAY)
    const young = await submit('young')
    const [built, waiting, kept, unread] = [ids[3]!, ids[5]!, ids[250]!, ids[590]!]
    const [build] = await rig.builds('full', 1)
    await rig.unbuilt('waiting')
    await store.transition('refer', async (trx) => {
      await trx.insertInto('build_changes').values({ build_id: build!, change_id: built }).execute()
      const stamp = JSON.stringify({ changes: [waiting] })
      const unbuilt = trx.selectFrom('requests').select('buildset_id').where('build_id', 'is', null)
      await trx.updateTable('buildsets').set({ source_stamp: stamp }).where('id', 'in', unbuilt).execute()
      const state = JSON.stringify({ trees: { main: { changes: [kept] } } })
      const row = { name: 'tests', version: 0, state, event_id: 590, wake_at: null, waiting: null }
      await trx.insertInto('schedulers').values(row).execute()
    })
    const left = async () => (await store.db.selectFrom('changes').select('id').execute()).map((row) => row.id)
    assert.equal((await rig.retention.run()).changes, 587)
    assert.deepEqual(await left(), [built, waiting, kept, ...ids.slice(590), young])
    assert.equal(unread, ids[590])
    await store.transition('read', async (trx) => void (await trx.deleteFrom('schedulers').execute()))
    rig.rules({ ...FOREVER, changes: { ageMs: null, count: 2 } })
    await rig.retention.run()
    assert.deepEqual(await left(), [built, waiting, ids.at(-1), young])
  })

  it('removes events by age, but none that a durable plugin or a scheduler has yet to read', async () => {
    await using rig = await createRig({ ...FOREVER, journal: { ageMs: DAY } })
    await rig.tell(1200)
    await rig.clock.advance(2 * DAY)
    await rig.tell(3)
    const events = async () =>
      (await readEvents(rig.store, { after: 0, limit: 10_000 })).map((one) => one.event.eventId)
    await advanceCursor(rig.store, 'mail', 700)
    await advanceCursor(rig.store, 'lamp', 1000)
    assert.equal((await rig.retention.run()).events, 700)
    assert.equal((await events())[0], 701)
    await advanceCursor(rig.store, 'mail', 1100)
    await rig.store.transition('scheduler', async (trx) => {
      const row = { name: 'tests', version: 0, state: '{}', event_id: 800, wake_at: null, waiting: null }
      await trx.insertInto('schedulers').values(row).execute()
    })
    assert.equal((await rig.retention.run()).events, 100)
    await rig.store.transition('gone', async (trx) => void (await trx.deleteFrom('schedulers').execute()))
    await advanceCursor(rig.store, 'lamp', 1203)
    await advanceCursor(rig.store, 'mail', 1203)
    await rig.retention.run()
    assert.deepEqual(await events(), [1201, 1202, 1203])
    assert.equal(await journalHead(rig.store), 1203)
  })

  it('runs by itself after a minute, then hourly, by the rules in force then', async () => {
    await using rig = await createRig(FOREVER)
    await rig.builds('full', 2)
    rig.retention.start()
    await rig.clock.advance('61s')
    await until(() => rig.clock.pending().length === 1, { what: 'the end of the first round' })
    assert.equal((await rig.left()).builds.length, 2)
    rig.rules({ ...FOREVER, builds: { ageMs: null, count: 1 } })
    await rig.clock.advance('1h')
    await until(() => rig.clock.pending().length === 1, { what: 'the end of the second round' })
    assert.equal((await rig.left()).builds.length, 1)
    await rig.retention.stop()
    assert.deepEqual(rig.clock.pending(), [])
    assert.deepEqual(rig.log.find('error'), [])
  })
})

async function createRig(first: RetentionSpec) {
  const rig = await createSqliteRig({ sync: async () => {} })
  const logs = createMemoryLogStore()
  let spec = first
  const { store, clock, log } = rig
  const retention = createRetention({ store, logs, clock, log, spec: () => spec })
  return {
    store,
    clock,
    log,
    logs,
    retention,
    rules(next: RetentionSpec) {
      spec = next
    },
    builds: async (builder: string, count: number, more: Partial<NewRow<'builds'>> = {}) => {
      const ids = await addBuilds(rig, builder, count, more)
      for (const id of ids) await logs.append(logOf(id), 'stdout', Buffer.from('text'))
      return ids
    },
    unbuilt: (state: string) =>
      store.transition('unbuilt', async (trx) => {
        const ended = state === 'finished' ? clock.now() : null
        const buildset = await trx
          .insertInto('buildsets')
          .values(newBuildset(ended))
          .returning('id')
          .executeTakeFirstOrThrow()
        await trx
          .insertInto('requests')
          .values({ ...newRequest(buildset.id, 'full'), state })
          .execute()
        return buildset.id
      }),
    tell: (count: number) =>
      store.transition('tell', async (_, tell) => {
        for (let i = 0; i < count; i++) tell('slaveLost', { slave: 'a', reason: '' })
      }),
    async left() {
      const [builds, requests, buildsets] = await Promise.all(
        (['builds', 'requests', 'buildsets'] as const).map((table) =>
          store.db.selectFrom(table).select('id').orderBy('id').execute(),
        ),
      )
      const steps = await store.db.selectFrom('steps').select('build_id').execute()
      const ids = (rows: readonly { id: number }[] | undefined) => rows!.map((row) => row.id)
      return { builds: ids(builds), requests: ids(requests), buildsets: ids(buildsets), steps }
    },
    async [Symbol.asyncDispose]() {
      await retention.stop()
      await rig[Symbol.asyncDispose]()
    },
  }
}

function addBuilds(rig: SqliteRig, builder: string, count: number, more: Partial<NewRow<'builds'>>): Promise<number[]> {
  const now = rig.clock.now()
  return rig.store.transition('builds', async (trx) => {
    const ids: number[] = []
    for (let i = 0; i < count; i++) {
      const { next_number: next } = await trx
        .insertInto('builders')
        .values({ name: builder, next_number: 1 })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((eb) => ({ next_number: eb('builders.next_number', '+', 1) })),
        )
        .returning('next_number')
        .executeTakeFirstOrThrow()
      const build = { ...newBuild(builder, next - 1, now), ...more }
      const { id } = await trx.insertInto('builds').values(build).returning('id').executeTakeFirstOrThrow()
      const buildset = await trx
        .insertInto('buildsets')
        .values(newBuildset(now))
        .returning('id')
        .executeTakeFirstOrThrow()
      const request = { ...newRequest(buildset.id, builder), build_id: id, state: 'finished' }
      await trx.insertInto('requests').values(request).execute()
      const step = { build_id: id, number: 0, name: 'test', text: '', started_at: now }
      await trx
        .insertInto('steps')
        .values({ ...step, logs: '[{"name":"stdio","bytes":4,"lines":1}]' })
        .execute()
      ids.push(id)
    }
    return ids
  })
}

function newBuild(builder: string, number: number, now: number): NewRow<'builds'> {
  const claim = { slave: 'bot', owner: 'me', epoch: 1, lease_until: 0 }
  const stamp = { source_stamp: '{}', branch: '', properties: '{}', config_hash: '' }
  const end = { state: 'finished', started_at: now, finished_at: now, result: 'success', text: '[]' }
  return { builder, number, requests: '[]', reason: '', ...claim, ...stamp, ...end }
}

function newBuildset(finished: number | null): NewRow<'buildsets'> {
  const rest = { reason: '', source_stamp: '{}', properties: '{}', submitted_at: 0, pending: 0, doomed: 0 }
  return { ...rest, finished_at: finished }
}

function newRequest(buildset: number, builder: string): Omit<NewRow<'requests'>, 'state'> {
  return { buildset_id: buildset, builder, priority: 0, front: 0, submitted_at: 0, not_before: 0, epoch: 1, losses: 0 }
}

function logOf(build: number) {
  return { build, step: 0, log: 'stdio', epoch: 1 }
}
