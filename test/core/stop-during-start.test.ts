import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, hasCode, type SlaveDoor, slave } from 'boltbot/plugin-sdk'
import {
  createFakeClock,
  createMemoryLog,
  createScriptedSlave,
  createSeededRandom,
  type FakeClock,
} from 'boltbot/plugin-sdk/testing'
import { createMaster } from '../../core/master.ts'
import { startBuild } from '../../core/store/builds.ts'
import { createBuildset } from '../../core/store/buildsets.ts'
import { createMemoryLogStore } from '../../core/store/logs/memory-log-store.ts'
import { readMasterId } from '../../core/store/meta.ts'
import { openSqliteStore } from '../../core/store/open.ts'
import type { Store } from '../../core/store/store.ts'
import { driven } from '../../plugin-sdk/testing/rig/driven.ts'
import { checked } from '../rig/checked.ts'
import { each, sh } from '../rig/parts.ts'
import { createLife } from '../simulation/life.ts'
import { createMortalStore } from '../simulation/mortal-store.ts'

// A stop may come at any instant of the start. Each time the start waits for the store or for a plugin is one.

test('whenever a stop comes during the start, nothing is left behind and nothing begins after it', async () => {
  const counted = await startAndStop(Number.POSITIVE_INFINITY)
  assert.ok(counted > 20, `only ${counted} instants: the start no longer passes by here`)
  for (let instant = 1; instant <= counted; instant++) await startAndStop(instant)
})

/** Stops the master at the given instant of its start; gives how many instants there were. */
async function startAndStop(instant: number): Promise<number> {
  const at = `stopped at instant ${instant}`
  const clock = createFakeClock()
  const log = createMemoryLog()
  const store = await openSqliteStore({ file: ':memory:', clock, log })
  await leaveBuildBehind(store)
  let passed = 0
  let starting = false
  let over = false
  const begun: string[] = []
  const note = (what: string) => {
    if (over) assert.fail(`${at}: ${what} after the stop`)
    begun.push(what)
  }
  const instantPassed = () => {
    if (starting && ++passed === instant) stopped = master.stop({ reason: 'the test says so' })
  }
  let stopped: Promise<void> | undefined
  let door: SlaveDoor | undefined
  const watched = definePlugin({
    name: 'watched',
    kind: 'status',
    needs: ['pollers', 'state'],
    durable: true,
    apply(host) {
      host.tap('configApplied', () => note('told of the config'))
      host.registerPoller({ name: 'poller', interval: '1m', poll: async () => note('polled') })
    },
    async start(host) {
      instantPassed()
      await host.state.set('started', true)
      host.clock.timer(60_000, () => note('timer of a plugin'))
      return { [Symbol.dispose]: () => void begun.push('closed') }
    },
  })
  const transport = definePlugin({
    name: 'links',
    kind: 'slave',
    needs: ['slaves'],
    apply(host) {
      door = host.slaves
    },
  })
  const config = checked({
    projectName: 'Stops',
    slaves: [slave({ name: 'bot', password: 'x' })],
    builders: [builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) })],
    schedulers: [each({ builders: ['full'] })],
    status: [watched()],
    transports: [transport()],
  })
  const master = await createMaster({
    config,
    basedir: '/nowhere',
    clock,
    random: createSeededRandom(1),
    log,
    store: createMortalStore({
      store,
      life: createLife(),
      fault: () => undefined,
      readFails: () => false,
      touched: instantPassed,
    }),
    logStore: createMemoryLogStore(),
    secrets: { resolve: () => 'secret' },
    redact: (text) => text,
    hide: () => {},
    redactor: () => ({ push: (data) => data, end: () => new Uint8Array() }),
  })
  starting = true
  const started = await driven(
    clock,
    master.start().then(
      () => true,
      (error: unknown) => {
        assert.ok(hasCode(error, 'BOLT_MASTER_STOPPING') || hasCode(error, 'BOLT_HOST_STOPPING'), `${at}: ${error}`)
        return false
      },
    ),
  )
  starting = false
  await driven(clock, stopped ?? master.stop())
  over = true
  assert.equal(started, stopped === undefined || instant > passed, at)
  await assertNothingLeft(at, clock, door)
  if (begun.includes('told of the config')) assert.ok(begun.includes('closed'), at)
  await store.close()
  return passed
}

async function assertNothingLeft(at: string, clock: FakeClock, door: SlaveDoor | undefined): Promise<void> {
  assert.deepEqual(
    clock.pending().map(({ madeAt }) => madeAt),
    [],
    `${at}: timers`,
  )
  const link = createScriptedSlave({ name: 'bot' }).connect()
  if (door) await assert.rejects(door.attach(link), `${at}: a slave was let in`)
  await clock.advance('2h')
}

/** A build that a master before left running: the start has something to take up. */
async function leaveBuildBehind(store: Store): Promise<void> {
  const buildset = await createBuildset(store, {
    builders: [{ name: 'full', mergeKey: null }],
    sourceStamp: STAMP,
    reason: 'before',
    properties: {},
    priority: 0,
    scheduler: null,
    owner: null,
    key: null,
    externalId: null,
    stableMs: null,
  })
  await startBuild(store, {
    owner: await readMasterId(store, createSeededRandom(1)),
    builder: 'full',
    slave: 'bot',
    requests: buildset.requests,
    reason: 'before',
    sourceStamp: STAMP,
    blamelist: [],
    configHash: 'rig',
    agent: null,
    lease: 60_000,
    locks: [],
    properties: () => ({}),
  })
}

const STAMP = { branch: null, revision: null, repository: '', project: '', codebase: '', patch: null, changes: [] }
