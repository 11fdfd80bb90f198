import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LookedUpPerson, PeopleOptions } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog, until } from 'boltbot/plugin-sdk/testing'
import { createTestPeople } from './test-people.ts'

const people = await createTestPeople({
  mailDomain: 'example.org',
  table: {
    jane: { mail: 'jane.doe@example.com' },
    'old@example.net': { mail: 'new@example.net' },
    bare: {},
    mute: { mail: null },
  },
})

test('the table comes first, by who or by the address inside', async () => {
  assert.equal(await people.mailAddress('jane'), 'jane.doe@example.com')
  assert.equal(await people.mailAddress('Old Name <old@example.net>'), 'new@example.net')
  assert.equal(await people.mailAddress('mute'), null)
})

test('then an address inside who, then the mail domain', async () => {
  assert.equal(await people.mailAddress('Jane Doe <jane@example.org>'), 'jane@example.org')
  assert.equal(await people.mailAddress('jane@example.org'), 'jane@example.org')
  assert.equal(await people.mailAddress('bare'), 'bare@example.org')
  assert.equal(await people.mailAddress('a.b'), 'a.b@example.org')
})

test('nothing is made of what cannot be an address', async () => {
  assert.equal(await (await createTestPeople({})).mailAddress('jane'), null)
  for (const who of [
    'Jane Doe',
    'a@b\r\nRCPT TO:<c@d>',
    'x <a@b\r\nc>',
    'a,b',
    '',
    'constructor toString',
    '<>',
    'a@b>c',
  ])
    assert.equal(await people.mailAddress(who), null, who)
  assert.equal(await people.mailAddress('toString'), 'toString@example.org')
})

/** A directory that answers when it is told to. */
async function createLookup(options: Omit<PeopleOptions, 'lookup'> = {}) {
  const calls: {
    readonly who: string
    readonly signal: AbortSignal
    answer(given: LookedUpPerson): void
    fail(): void
  }[] = []
  const clock = createFakeClock()
  const log = createMemoryLog()
  const found = await createTestPeople(
    {
      ...options,
      lookup: (who, { signal }) =>
        new Promise((answer, reject) =>
          calls.push({ who, signal, answer, fail: () => reject(new Error('ldap is down')) }),
        ),
    },
    clock,
    log,
  )
  return { people: found, calls, clock, log }
}

test('a name is looked up once at a time, its answer kept for a while; the table is asked first', async () => {
  const { people, calls, clock } = await createLookup({
    table: { jane: { mail: 'jane@table' }, bob: { roles: ['admin'] } },
  })
  assert.equal(await people.mailAddress('jane'), 'jane@table')
  assert.equal(calls.length, 0)
  const asked = [people.mailAddress('bob'), people.mailAddress('bob'), people.ircIdentities('bob')]
  await Promise.resolve()
  calls[0]!.answer({ mail: 'bob@ldap', irc: 'account:bobby' })
  assert.deepEqual(await Promise.all(asked), ['bob@ldap', 'bob@ldap', ['account:bobby']])
  assert.deepEqual(await people.roles('bob'), ['admin'])
  assert.equal(calls.length, 1, 'asked once')
  await clock.advance(9 * 60_000)
  await people.mailAddress('bob')
  assert.equal(calls.length, 1, 'still good')
  await clock.advance(2 * 60_000)
  const again = people.mailAddress('bob')
  await Promise.resolve()
  assert.equal(calls.length, 2)
  calls[1]!.answer('bob@new')
  assert.equal(await again, 'bob@new')
})

test('who is not in the directory is reached by the address inside, or the domain; null says no mail', async () => {
  const { people, calls } = await createLookup({ mailDomain: 'example.org' })
  const asked = [people.mailAddress('Ann <ann@home>'), people.mailAddress('ann'), people.mailAddress('shy')]
  await Promise.resolve()
  calls[0]!.answer(null)
  calls[1]!.answer(undefined)
  calls[2]!.answer({ mail: null })
  assert.deepEqual(await Promise.all(asked), ['ann@home', 'ann@example.org', null])
})

test('a failing lookup is told, never guessed around; what was known before holds on', async () => {
  const { people, calls, clock, log } = await createLookup({ mailDomain: 'example.org' })
  const first = people.mailAddress('jane')
  await Promise.resolve()
  calls[0]!.answer('jane@ldap')
  await first
  await clock.advance(11 * 60_000)
  const stale = people.mailAddress('jane')
  const unknown = people.mailAddress('bob@home')
  await Promise.resolve()
  for (const call of calls.slice(1)) call.fail()
  assert.equal(await stale, 'jane@ldap', 'as it was')
  await assert.rejects(unknown, {
    code: 'BOLT_PEOPLE_LOOKUP',
    message: '"bob@home" could not be looked up: ldap is down.',
  })
  assert.equal(people.trouble()?.failures, 2)
  assert.match(log.text(), /person could not be looked up/)
  const mended = people.mailAddress('bob@home')
  await Promise.resolve()
  calls[3]!.answer('bob@ldap')
  assert.equal(await mended, 'bob@ldap')
  assert.equal(people.trouble(), null)
})

test('a lookup that hangs is given up and left alone for a while', async () => {
  const { people, calls, clock } = await createLookup({ lookupTimeout: '5s' })
  for (const who of ['a', 'b', 'c']) {
    const asked = assert.rejects(people.mailAddress(who), { message: /no answer within 5 s/ })
    await clock.advance(5000)
    await asked
  }
  assert.equal(
    calls.every(({ signal }) => signal.aborted),
    true,
  )
  await assert.rejects(people.mailAddress('d'), { code: 'BOLT_PEOPLE_LOOKUP' })
  assert.equal(calls.length, 3, 'not asked while it rests')
  await clock.advance(31_000)
  const asked = people.mailAddress('d')
  await Promise.resolve()
  calls[3]!.answer('d@ldap')
  assert.equal(await asked, 'd@ldap')
})

test('an answer that cannot be is a failure', async () => {
  for (const wrong of [{ mail: 'a@b, c@d' }, { mail: 7 }, { roles: 'admin' }, { irc: 'host:*@*' }, 7, { phone: 1 }]) {
    const { people, calls } = await createLookup()
    const asked = people.mailAddress('jane')
    await Promise.resolve()
    calls[0]!.answer(wrong as never) // as plain JS may
    await assert.rejects(asked, { code: 'BOLT_PEOPLE_LOOKUP' }, JSON.stringify(wrong))
  }
})

test('an account is the person of its name only if the directory says so', async () => {
  const { people, calls } = await createLookup()
  const asked = [people.behind(['account:jane@libera']), people.behind(['account:bob'])]
  await until(() => calls[1], { what: 'both accounts to be looked up' })
  calls[0]!.answer({ irc: 'account:jane@libera', roles: ['committer'] })
  calls[1]!.answer({ irc: 'account:robert', roles: ['admin'] })
  assert.deepEqual(await Promise.all(asked), [['jane'], []])
  assert.deepEqual(await people.roles('jane'), ['committer'])
})
