import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change, PeopleOptions } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { peopleOf } from '../../../core/config/check-people.ts'
import { createPeople } from '../../../core/people/people.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { readSubscriptions, subscribe, unsubscribe } from '../../../core/store/subscriptions.ts'
import { change } from '../../plugins/status/events.ts'

const AT = Date.UTC(2026, 0, 7, 12)
const build = { builder: 'full', branch: 'main', blamelist: ['jane'], changes: [1, 2], at: AT }

async function createStory(
  options: PeopleOptions,
  files: readonly (readonly string[])[] = [['docs/a/intro.md'], ['src/hello.c']],
) {
  const clock = createFakeClock()
  const log = createMemoryLog()
  const store = await openSqliteStore({ file: ':memory:', clock, log })
  const changes = files.map((names, i): Change => ({ ...change(), id: i + 1, files: names }))
  const changesOf = async (ids: readonly number[]) => changes.filter(({ id }) => ids.includes(id))
  return {
    store,
    people: createPeople(peopleOf(options), { clock, log, store, changesOf, isQuiet: async () => false }),
  }
}

test('interested are the blamelist, owners, the sheriff and subscribers, each once with all reasons', async () => {
  const { people, store } = await createStory({
    owners: { 'docs/**': 'ann', '*.c': ['bob', 'jane'], 'po/': 'pia' },
    sheriff: { rota: ['bob', 'sue'], start: '2026-01-06', timeZone: 'UTC' },
  })
  await subscribe(store, { who: 'tom', kind: 'builder', name: 'full', by: 'mail', events: null })
  await subscribe(store, { who: 'tom', kind: 'branch', name: 'main', by: 'mail', events: null })
  await subscribe(store, { who: 'ivy', kind: 'branch', name: 'main', by: 'irc', events: null })
  await subscribe(store, { who: 'far', kind: 'builder', name: 'docs', by: 'mail', events: null })
  assert.deepEqual(await people.interested(build, 'mail'), [
    { who: 'jane', reasons: [{ kind: 'change' }, { kind: 'owner', pattern: '*.c' }] },
    { who: 'ann', reasons: [{ kind: 'owner', pattern: 'docs/**' }] },
    { who: 'bob', reasons: [{ kind: 'owner', pattern: '*.c' }] },
    { who: 'sue', reasons: [{ kind: 'sheriff' }] },
    {
      who: 'tom',
      reasons: [
        { kind: 'subscriber', what: 'builder full' },
        { kind: 'subscriber', what: 'branch main' },
      ],
    },
  ])
  assert.deepEqual(await people.interested(build, 'irc'), [
    { who: 'ivy', reasons: [{ kind: 'subscriber', what: 'branch main' }] },
  ])
})

test('patterns of owners are globs; a bare name fits anywhere, a folder all below', async () => {
  const cases: readonly (readonly [pattern: string, file: string, fits: boolean])[] = [
    ['docs/**', 'docs/a/b.md', true],
    ['docs/**', 'olddocs/a.md', false],
    ['docs/', 'docs/a/b.md', true],
    ['docs', 'docs/a.md', false],
    ['Makefile', 'a/b/Makefile', true],
    ['Makefile', 'Makefile', true],
    ['*.c', 'a/b.c', true],
    ['src/*.c', 'src/a.c', true],
    ['src/*.c', 'src/a/b.c', false],
    ['**/test/**', 'a/test/b/c', true],
    ['[ab].c', 'a.c', true],
    ['*.{c,h}', 'x/y.h', true],
  ]
  for (const [pattern, file, fits] of cases) {
    const { people } = await createStory({ owners: { [pattern]: 'ann' } }, [[file]])
    const found = await people.interested({ ...build, blamelist: [], changes: [1] }, 'mail')
    assert.equal(found.length === 1, fits, `${pattern} and ${file}`)
  }
})

test('the sheriff changes at the time of day of the time zone, also over a change of its clocks', async () => {
  const { people } = await createStory({
    sheriff: { rota: ['ann', 'bob', 'cid'], start: '2026-03-27', period: '1d', at: '09:00', timeZone: 'Europe/Berlin' },
  })
  const cases: readonly (readonly [utc: string, who: string | null])[] = [
    ['2026-03-27T07:59:00Z', null],
    ['2026-03-27T08:00:00Z', 'ann'],
    ['2026-03-28T07:59:00Z', 'ann'],
    ['2026-03-28T08:00:00Z', 'bob'],
    // Summer time began in that night.
    ['2026-03-29T06:59:00Z', 'bob'],
    ['2026-03-29T07:00:00Z', 'cid'],
    ['2026-03-30T06:59:00Z', 'cid'],
    ['2026-03-30T07:00:00Z', 'ann'],
  ]
  for (const [utc, who] of cases) assert.equal(people.sheriff(Date.parse(utc)), who, utc)
  const weekly = await createStory({
    sheriff: { rota: ['ann', 'bob'], start: '2026-01-05', period: '7d', timeZone: 'UTC' },
  })
  for (const [day, who] of [
    ['2026-01-11', 'ann'],
    ['2026-01-12', 'bob'],
    ['2026-01-19', 'ann'],
  ] as const)
    assert.equal(weekly.people.sheriff(Date.parse(day)), who, day)
})

test('a subscription is one for a person and a thing; the last word counts', async () => {
  const { store } = await createStory({})
  await subscribe(store, { who: 'tom', kind: 'builder', name: 'full', by: 'mail', events: null })
  await subscribe(store, { who: 'tom', kind: 'builder', name: 'full', by: 'irc', events: null })
  await subscribe(store, { who: 'tom', kind: 'branch', name: 'full', by: 'mail', events: null })
  assert.deepEqual(await readSubscriptions(store, 'tom'), [
    { who: 'tom', kind: 'builder', name: 'full', by: 'irc', events: null },
    { who: 'tom', kind: 'branch', name: 'full', by: 'mail', events: null },
  ])
  assert.equal(await unsubscribe(store, { who: 'tom', kind: 'builder', name: 'full' }), true)
  assert.equal(await unsubscribe(store, { who: 'tom', kind: 'builder', name: 'full' }), false)
  assert.equal((await readSubscriptions(store)).length, 1)
})
