import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRedactor } from '../../core/redact.ts'

const bytes = (text: string) => Buffer.from(text)

test('a secret is hidden in text, also as JSON, URLs and base64 write it', () => {
  const redactor = createRedactor()
  redactor.add('pa"ss/word')
  assert.equal(redactor.text('login pa"ss/word ok'), 'login *** ok')
  assert.equal(redactor.text(JSON.stringify({ password: 'pa"ss/word' })), '{"password":"***"}')
  assert.equal(redactor.text(`?p=${encodeURIComponent('pa"ss/word')}`), '?p=***')
  assert.equal(redactor.text(Buffer.from('pa"ss/word').toString('base64')), '***')
})

test('each longer line of a secret is hidden, for it is printed line by line', () => {
  const redactor = createRedactor()
  redactor.add('-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n')
  assert.equal(redactor.text('> MIIEvQIBADANBg <'), '> *** <')
})

test('very short values are left alone', () => {
  const redactor = createRedactor()
  redactor.add('abc')
  assert.equal(redactor.text('abc'), 'abc')
})

test('a secret that contains another one is hidden whole', () => {
  const redactor = createRedactor()
  redactor.add('hunter')
  redactor.add('hunter2000')
  assert.equal(redactor.text('hunter2000 hunter'), '*** ***')
  const stream = redactor.stream()
  const out = [stream.push(bytes('is hunter')), stream.push(bytes('2000!')), stream.end()]
  assert.equal(Buffer.concat(out).toString(), 'is **********!')
})

test('without secrets a piece comes out as the same object', () => {
  const data = bytes('plain')
  assert.equal(createRedactor().stream().push(data), data)
})

test('what may be the start of a secret is held back, and only that', () => {
  const redactor = createRedactor()
  redactor.add('hunter2')
  const stream = redactor.stream()
  assert.equal(Buffer.from(stream.push(bytes('password: hunt'))).toString(), 'password: ')
  assert.equal(Buffer.from(stream.push(bytes('ing\n'))).toString(), 'hunting\n')
  assert.equal(Buffer.from(stream.push(bytes('hunter'))).toString(), '')
  assert.equal(Buffer.from(stream.end()).toString(), 'hunter')
})

test('wherever the pieces are cut, no secret comes through and no byte is lost', () => {
  const redactor = createRedactor()
  redactor.add('abab')
  redactor.add('ababc')
  redactor.add('bcab')
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.'), maxLength: 60 }),
      fc.array(fc.nat(60), { maxLength: 8 }),
      (text, cuts) => {
        const stream = redactor.stream()
        const borders = [0, ...cuts.filter((at) => at <= text.length).sort((a, b) => a - b), text.length]
        const pieces = borders.slice(1).map((end, i) => stream.push(bytes(text.slice(borders[i], end))))
        const out = Buffer.concat([...pieces, stream.end()]).toString()
        assert.equal(out.length, text.length)
        for (const secret of ['abab', 'ababc', 'bcab']) assert.ok(!out.includes(secret), `${text} gave ${out}`)
        for (const [i, mark] of [...out].entries()) if (mark !== '*') assert.equal(mark, text[i])
      },
    ),
  )
})
