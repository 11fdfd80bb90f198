import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChangeInput } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { createChanges } from '../../core/changes.ts'
import { recentChanges } from '../../core/store/changes.ts'
import { openSqliteStore } from '../../core/store/open.ts'

describe('changes handed in together', () => {
  it('are stored in the order of the calls of one source, however long they are refined', async () => {
    await using store = await openStore()
    const gates = new Map<string, PromiseWithResolvers<void>>()
    for (const name of ['slow', 'refused', 'quick', 'other']) gates.set(name, Promise.withResolvers())
    const changes = createChanges({
      store,
      async refine({ source: _, ...change }) {
        await gates.get(change.comments)!.promise
        if (change.comments === 'refused') throw new Error('a tap refuses it')
        return change
      },
    })
    const slow = changes.submit(named('slow'), 'one')
    const refused = assert.rejects(changes.submit(named('refused'), 'one'), /refuses/)
    const quick = changes.submit(named('quick'), 'one')
    const other = changes.submit(named('other'), 'two')
    gates.get('refused')!.resolve()
    gates.get('quick')!.resolve()
    gates.get('other')!.resolve()
    await Promise.all([refused, other])
    assert.deepEqual(await stored(store), ['other'])
    gates.get('slow')!.resolve()
    await Promise.all([slow, quick])
    assert.deepEqual(await stored(store), ['other', 'slow', 'quick'])
  })

  it('do not wait for one that is malformed', async () => {
    await using store = await openStore()
    const changes = createChanges({ store, refine: async ({ source: _, ...change }) => change })
    const bad = assert.rejects(changes.submit({ ...named('bad'), who: 1 as never }, 'one'), {
      code: 'BOLT_CHANGES_INVALID',
    })
    await Promise.all([bad, changes.submit(named('good'), 'one')])
    assert.deepEqual(await stored(store), ['good'])
  })
})

describe('a commit that two sources report', () => {
  it('is one change, whichever way they write the address of its repository', async () => {
    await using store = await openStore()
    const changes = createChanges({ store, refine: async ({ source: _, ...change }) => change })
    const commit = { who: 'jane', files: [], comments: 'fix', branch: 'main', revision: 'abc123' }
    const polled = await changes.submit({ ...commit, repository: 'git@git.example.org:jane/hello.git' }, 'poller')
    const hooked = await changes.submit({ ...commit, repository: 'https://git.example.org/jane/hello' }, 'webhook')
    assert.deepEqual([polled.duplicate, hooked.duplicate], [false, true])
    assert.equal(hooked.change.id, polled.change.id)
    const other = await changes.submit({ ...commit, repository: 'https://git.example.org/joe/hello' }, 'webhook')
    assert.equal(other.duplicate, false)
  })
})

const named = (comments: string): ChangeInput => ({ who: 'jane', files: ['a.c'], comments })

async function openStore() {
  const store = await openSqliteStore({ file: ':memory:', clock: createFakeClock(), log: createMemoryLog() })
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() })
}

async function stored({ db }: Awaited<ReturnType<typeof openStore>>): Promise<readonly string[]> {
  return (await recentChanges(db, 100)).map(({ comments }) => comments).toReversed()
}
