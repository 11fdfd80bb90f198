import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChanges } from '../../../core/changes.ts'
import { recentChanges } from '../../../core/store/changes.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { CiError } from '../../errors.ts'
import type { ChangeInput } from '../../model.ts'
import type { PluginInstance } from '../../plugin.ts'
import { createFakeClock } from '../fake-clock.ts'
import { withoutLeaks } from '../leaks.ts'
import { createMemoryLog } from '../memory-log.ts'
import { createTestHost, type TestHost } from '../test-host.ts'
import { until } from '../until.ts'
import type { RunTest } from './run-test.ts'

/** A change source with something to look at, to be put through {@link changeSourceSuite}. */
export interface ChangeSourceKind {
  /** For the names of the tests. */
  readonly name: string
  /** False: it is told of commits once, and what happens while it does not listen never; those tests are not for it. Default true. */
  readonly remembers?: boolean
  /** Makes a place where commits can be made, for one test. Awaited. */
  make(): Promise<SourceUnderTest>
}

/** Disposed when its test is over. */
export interface SourceUnderTest extends AsyncDisposable {
  /** The same source, as a config read anew has it. */
  plugin(): PluginInstance<'source'>
  /** Makes a commit where the source looks; the comments of its change begin with the message. Awaited. */
  commit(message: string): Promise<unknown>
  /**
   * Brings all that it has not told yet to a running one, in order; rejects when that cannot take it. Default: its poller polls. Awaited.
   */
  bring?(running: TestHost): Promise<unknown>
}

/**
 * What every change source has to do, whether it looks or is told: see each commit once and in order, over stops, deaths of the master
 * and a store that is down, and leave nothing behind. The store is a real one.
 * @example
 * import { test } from 'node:test' // or from 'vitest'
 * changeSourceSuite(test, { name: 'releases', make: () => startReleasesPage() })
 */
export function changeSourceSuite(test: RunTest, kind: ChangeSourceKind): void {
  const it = (name: string, run: () => Promise<void>) => test(`the change source ${kind.name} ${name}`, run)
  const lasting: typeof it = (name, run) => kind.remembers !== false && it(name, run)

  it('sees a commit once', async () => {
    await using world = await createWorld(kind)
    const running = await world.start()
    await world.commit(1)
    await world.bring(running)
    await world.bring(running)
    assert.deepEqual(await world.seen(), ['commit 1'])
  })

  it('keeps the order of commits', async () => {
    await using world = await createWorld(kind)
    const running = await world.start()
    await world.commit(30)
    await world.bring(running)
    assert.deepEqual(await world.seen(), expected(30))
  })

  lasting('sees what came while it was stopped, once, in order', async () => {
    await using world = await createWorld(kind)
    const first = await world.start()
    await world.commit(3)
    await world.bring(first)
    await first.stop()
    await world.commit(4)
    const second = await world.start()
    await world.bring(second)
    await world.bring(second)
    assert.deepEqual(await world.seen(), expected(7))
  })

  lasting('loses and doubles nothing when the master dies right after a change was stored', async () => {
    await using world = await createWorld(kind)
    const first = await world.start()
    await world.commit(5)
    world.dieAfter(2)
    await assert.rejects(world.bring(first))
    const atDeath = new Map(first.state)
    const second = await world.start(atDeath)
    await world.bring(second)
    assert.deepEqual(await world.seen(), expected(5))
  })

  lasting('hands a change in again when the store was down', async () => {
    await using world = await createWorld(kind)
    const running = await world.start()
    await world.commit(3)
    world.refuse((number) => (number >= 2 ? storeDown() : undefined))
    await assert.rejects(world.bring(running), /The store is down/)
    assert.deepEqual(await world.seen(), ['commit 1'])
    world.refuse(() => undefined)
    await world.bring(running)
    assert.deepEqual(await world.seen(), expected(3))
  })

  it('goes on behind a change that is refused for good', async () => {
    await using world = await createWorld(kind)
    const running = await world.start()
    await world.commit(3)
    world.refuse((number) => (number === 2 ? refused() : undefined))
    await world.bring(running)
    assert.deepEqual(await world.seen(), ['commit 1', 'commit 3'])
    assert.equal(running.log.find('warn').length, 1, running.log.text())
  })

  lasting('loses and doubles nothing when it is stopped in the middle', async () => {
    await using world = await createWorld(kind)
    const first = await world.start()
    await world.commit(10)
    const poll = world.bring(first).catch(() => {}) // how it ends is its own affair
    await until(async () => (await world.seen()).length > 0, { what: 'the first change' })
    await first.stop()
    await poll
    const second = await world.start()
    await world.bring(second)
    assert.deepEqual(await world.seen(), expected(10))
  })

  it('leaves no timer, watcher, child or socket when it is stopped', async () => {
    await using world = await createWorld(kind)
    await withoutLeaks(async () => {
      const running = await world.start()
      await world.commit(2)
      await world.bring(running)
      await running.stop()
      assert.deepEqual(running.leaks(), [])
    })
  })
}

/** A source, and a real store that outlives its hosts. */
async function createWorld(kind: ChangeSourceKind) {
  const stack = new AsyncDisposableStack()
  const source = stack.use(await kind.make())
  const clock = createFakeClock()
  const store = await openSqliteStore({ file: ':memory:', clock, log: createMemoryLog() })
  stack.defer(() => store.close())
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-source-'))
  stack.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  const changes = createChanges({ store, refine: async ({ source: _, ...change }) => change })
  let committed = 0
  let left = Number.POSITIVE_INFINITY
  let refusal: (number: number) => Error | undefined = () => undefined
  let state: ReadonlyMap<string, unknown> = new Map()

  const bring = (host: TestHost) => source.bring?.(host) ?? host.poll()

  async function submitChange(change: ChangeInput) {
    if (left <= 0) throw new CiError({ code: 'BOLT_HOST_STOPPED', message: 'The master is dead.' })
    const error = refusal(Number(/\d+/.exec(change.comments)?.[0]))
    if (error) throw error
    const submitted = await changes.submit(change, 'under test')
    if (--left <= 0) throw new CiError({ code: 'BOLT_HOST_STOPPED', message: 'The master died.' })
    return submitted
  }
  return {
    bring,
    /** With the state of the host before it, unless another is given, and past its first poll. */
    async start(from: ReadonlyMap<string, unknown> = state): Promise<TestHost> {
      left = Number.POSITIVE_INFINITY
      const host = stack.use(createTestHost({ directory, override: { submitChange } }))
      for (const [key, value] of from) await host.host.state.set(key, value as never) // it came out of a state
      state = host.state
      await host.run(source.plugin())
      if (from.size === 0 && committed === 0) await bring(host)
      return host
    },
    async commit(count: number): Promise<void> {
      for (let i = 0; i < count; i++) await source.commit(`commit ${++committed}`)
    },
    dieAfter(count: number): void {
      left = count
    },
    refuse(how: (number: number) => Error | undefined): void {
      refusal = how
    },
    /** Messages of the stored changes, oldest first. */
    async seen(): Promise<readonly string[]> {
      return (await recentChanges(store.db, 1000)).map((change) => change.comments).toReversed()
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const expected = (count: number) => Array.from({ length: count }, (_, index) => `commit ${index + 1}`)
const storeDown = () => new CiError({ code: 'BOLT_STORE_FULL', message: 'The store is down.' })
const refused = () => new CiError({ code: 'SUITE_REFUSED', message: 'A plugin does not want it.' })
