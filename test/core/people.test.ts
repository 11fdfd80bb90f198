import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPeople } from '../../core/people.ts'

const people = createPeople({
  mailDomain: 'example.org',
  table: { jane: { mail: 'jane.doe@example.com' }, 'old@example.net': { mail: 'new@example.net' }, bare: {} },
})

test('the table comes first, by who or by the address inside', () => {
  assert.equal(people.mailAddress('jane'), 'jane.doe@example.com')
  assert.equal(people.mailAddress('Old Name <old@example.net>'), 'new@example.net')
})

test('then an address inside who, then the mail domain', () => {
  assert.equal(people.mailAddress('Jane Doe <jane@example.org>'), 'jane@example.org')
  assert.equal(people.mailAddress('jane@example.org'), 'jane@example.org')
  assert.equal(people.mailAddress('bare'), 'bare@example.org')
  assert.equal(people.mailAddress('a.b'), 'a.b@example.org')
})

test('nothing is made of what cannot be an address', () => {
  assert.equal(createPeople({ mailDomain: null, table: {} }).mailAddress('jane'), null)
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
    assert.equal(people.mailAddress(who), null, who)
  assert.equal(people.mailAddress('toString'), 'toString@example.org')
})
