import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitWords, takeOptions } from '../../../core/chat/words.ts'

test('a line is cut as a shell cuts it', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['  status   all ', ['status', 'all']],
    [`force build full "it's broken"`, ['force', 'build', 'full', "it's broken"]],
    [`a 'b "c" \\' d`, ['a', 'b "c" \\', 'd']],
    [`a\\ b`, ['a b']],
    [`"a\\"b" "c\\\\d" "e\\f"`, ['a"b', 'c\\d', 'e\\f']],
    [`"" ''`, ['', '']],
    [`--prop x='a b'c`, ['--prop', 'x=a bc']],
    ['trailing\\', ['trailing\\']],
    [
      "stop build full that's not it, and don't try",
      ['stop', 'build', 'full', "that's", 'not', 'it,', 'and', "don't", 'try'],
    ],
    ['tab\tand\u00a0blank', ['tab', 'and', 'blank']],
  ]
  for (const [line, words] of cases) assert.deepEqual(splitWords(line), words, line)
})

test('a quote that is not closed is refused', () => {
  for (const line of [`force "full`, `x 'y`, `"a\\"`])
    assert.throws(() => splitWords(line), { code: 'BOLT_CHAT_QUOTE' })
})

test('options are taken out wherever they stand', () => {
  assert.deepEqual(
    takeOptions(['--branch=x', 'full', '--prop', 'a=1', 'why', '--prop=b=2', '--', '--prop'], ['branch', 'prop']),
    {
      words: ['full', 'why', '--prop'],
      given: { branch: ['x'], prop: ['a=1', 'b=2'] },
      unknown: [],
    },
  )
  assert.deepEqual(takeOptions(['--brunch', 'x'], ['branch']).unknown, ['--brunch'])
  assert.throws(() => takeOptions(['--branch'], ['branch']), { code: 'BOLT_CHAT_OPTION_VALUE' })
})
