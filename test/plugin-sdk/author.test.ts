import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAuthor } from 'boltbot/plugin-sdk'

test('an author is taken apart into name and address', () => {
  const cases: readonly (readonly [who: string, name: string, address: string | null])[] = [
    ['Jane Doe <jane@example.org>', 'Jane Doe', 'jane@example.org'],
    ['"Doe, Jane" <jane@example.org>', 'Doe, Jane', 'jane@example.org'],
    ['jane@example.org (Jane Doe)', 'Jane Doe', 'jane@example.org'],
    ['<jane@example.org>', 'jane', 'jane@example.org'],
    ['jane@example.org', 'jane', 'jane@example.org'],
    ['jane', 'jane', null],
    ['Jane Doe <nowhere>', 'Jane Doe', null],
    ['Jane Doe', 'Jane Doe', null],
    ['', '', null],
  ]
  for (const [who, name, address] of cases) assert.deepEqual(parseAuthor(who), { name, address }, who)
})

test('nothing that could be more than one address comes out as one', () => {
  for (const who of ['a <b@c, d@e>', 'a@b,c@d', 'a@b\nBcc: x@y', '<a@b> <c@d>', 'a@b c@d', 'x <"a b"@c>'])
    assert.equal(parseAuthor(who).address, null, who)
})
