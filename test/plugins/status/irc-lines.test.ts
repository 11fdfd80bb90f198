import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from 'boltbot/plugin-sdk/testing'
import { commandIn } from '../../../plugins/status/irc/command-in.ts'
import { createOutgoing, type Line } from '../../../plugins/status/irc/outgoing.ts'
import { paint } from '../../../plugins/status/irc/paint.ts'
import { createPatience } from '../../../plugins/status/irc/patience.ts'
import { splitText } from '../../../plugins/status/irc/split.ts'

const to = (target: string, text: string): Line => ({ command: 'PRIVMSG', target, text })

function createLines(over: { readonly burst?: number; readonly bytes?: number } = {}) {
  const clock = createFakeClock()
  const sent: string[] = []
  const outgoing = createOutgoing({
    clock,
    burst: over.burst ?? 4,
    everyMs: 2000,
    split: ({ text }) => splitText(text, over.bytes ?? 60),
  })
  return { clock, sent, outgoing, write: ({ target, text }: Line) => void sent.push(`${target} ${text}`) }
}

test('so many lines go at once, then one after each pause; the burst fills up again', async () => {
  const { clock, sent, outgoing, write } = createLines()
  using _ = outgoing
  outgoing.attach(write)
  for (let i = 0; i < 8; i++) outgoing.answer(to('#a', `${i}`))
  assert.equal(sent.length, 4)
  await clock.advance(1999)
  assert.equal(sent.length, 4)
  await clock.advance(1)
  assert.equal(sent.length, 5)
  await clock.advance(20_000)
  assert.equal(sent.length, 8)
  for (let i = 0; i < 6; i++) outgoing.answer(to('#a', `${i}`))
  assert.equal(sent.length, 12)
})

test('answers go before news; news of one place are put together, in order', async () => {
  const { clock, sent, outgoing, write } = createLines({ burst: 1 })
  using _ = outgoing
  outgoing.attach(write)
  outgoing.answer(to('#a', 'first'))
  for (let i = 0; i < 5; i++) outgoing.news(to('#a', `news ${i}`))
  outgoing.news(to('#b', 'other'))
  outgoing.answer(to('#a', 'answer'))
  await clock.advance(20_000)
  assert.deepEqual(sent, ['#a first', '#a answer', '#a news 0 | news 1 | news 2 | news 3 | news 4', '#b other'])
})

test('answers to several people go in turn: a long one keeps nobody else waiting', async () => {
  const { clock, sent, outgoing, write } = createLines({ burst: 2 })
  using _ = outgoing
  outgoing.attach(write)
  for (let i = 0; i < 6; i++) outgoing.answer({ ...to('#a', `jane ${i}`), turn: 'jane' })
  await clock.advance(2000)
  for (let i = 0; i < 2; i++) outgoing.answer({ ...to('#a', `joe ${i}`), turn: 'joe' })
  outgoing.answer(to('ann', 'in private'))
  await clock.advance(20_000)
  assert.deepEqual(sent, [
    ...['#a jane 0', '#a jane 1', '#a jane 2', '#a joe 0', 'ann in private'],
    ...['#a jane 3', '#a joe 1', '#a jane 4', '#a jane 5'],
  ])
})

test('what waited too long while the link was down is dropped and counted for each place, once', async () => {
  const { clock, sent, outgoing, write } = createLines({ bytes: 400 })
  using _ = outgoing
  outgoing.attach(write)
  outgoing.attach(null)
  outgoing.news(to('#a', 'old 1'))
  outgoing.news(to('#a', 'old 2'))
  outgoing.answer(to('#b', 'old answer'))
  await clock.advance('6m')
  outgoing.news(to('#a', 'fresh'))
  outgoing.attach(write)
  assert.deepEqual(sent, [
    '#a I was away: 2 messages of the last 6 min were not told here. "status all" says how things are.',
    '#b I was away: 1 message of the last 6 min was not told here. "status all" says how things are.',
    '#a fresh',
  ])
  outgoing.attach(null)
  outgoing.attach(write)
  assert.equal(sent.length, 3)
})

test('a line that was promised waits for the link as long as it says, and then tells that it was dropped', async () => {
  const { clock, sent, outgoing, write } = createLines()
  using _ = outgoing
  const ends: boolean[] = []
  const promised = (text: string) => ({ ...to('#a', text), keepMs: 3_600_000, done: (one: boolean) => ends.push(one) })
  outgoing.answer(promised('too late'))
  await clock.advance('30m')
  outgoing.answer(promised('in time'))
  await clock.advance('45m')
  outgoing.attach(write)
  assert.deepEqual([sent, ends], [['#a in time'], [false, true]])
})

test('the rest of a long message is not said on the next connection without its beginning', async () => {
  const { clock, sent, outgoing, write } = createLines({ burst: 1, bytes: 5 })
  using _ = outgoing
  outgoing.attach(write)
  outgoing.answer(to('#a', 'one two three'))
  assert.deepEqual(sent, ['#a one'])
  outgoing.attach(null)
  outgoing.attach(write)
  await clock.advance('1m')
  assert.deepEqual(sent, ['#a one'])
})

test('texts are cut between words, and long words between what people see as characters', () => {
  assert.deepEqual(splitText('one two three', 7), ['one two', 'three'])
  assert.deepEqual(splitText('', 10), [])
  assert.deepEqual(splitText('   ', 10), [])
  assert.deepEqual(splitText('äöü', 4), ['äö', 'ü'])
  assert.deepEqual(splitText('a 👩‍👩‍👧 b', 20), ['a 👩‍👩‍👧', 'b'])
  for (const bytes of [4, 7, 30, 400]) {
    const text = `x ${'ä€😀🇩🇪é'.repeat(30)} the end`
    const pieces = splitText(text, bytes)
    assert.equal(pieces.join('').replaceAll(' ', ''), text.replaceAll(' ', ''), `${bytes} bytes`)
    for (const piece of pieces) {
      assert.ok(Buffer.byteLength(piece) <= bytes, piece)
      assert.ok(!piece.includes('\ufffd') && piece.isWellFormed(), piece)
    }
  }
})

test('who says too much is told so once and then ignored for a while', async () => {
  const clock = createFakeClock()
  const patience = createPatience(clock)
  const judged = Array.from({ length: 40 }, () => patience.judge('bot@other'))
  assert.deepEqual(judged.slice(29, 32), ['heard', 'enough', 'ignored'])
  assert.equal(patience.judge('jane@home'), 'heard')
  await clock.advance('5m')
  assert.equal(patience.judge('bot@other'), 'heard')
})

test('a line is for the bot when its nick stands in front with a colon or a comma', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['hellobot: status', 'status'],
    ['HelloBot, status all', 'status all'],
    ['  @hellobot :status', 'status'],
    ['hellobot:', ''],
    ['hellobot status', undefined],
    ['hellobots: status', undefined],
    ['ask hellobot: status', undefined],
    ['hello', undefined],
    ['\u0002hellobot\u0002: \u000304,01status\u0003 full\u000f', 'status full'],
  ]
  for (const [text, command] of cases) assert.equal(commandIn(text, ['hellobot'], false), command, text)
  assert.equal(commandIn('status', ['hellobot'], true), 'status', 'in private all is')
  assert.equal(commandIn('hellobot: status', ['hellobot'], true), 'status', 'and habits do no harm')
})

test('results are painted, and readable without paint', () => {
  assert.equal(paint('build full #1 has ended: failure'), 'build full #1 has ended: \u000304failure\u0003')
  assert.equal(paint('successful'), 'successful')
})
