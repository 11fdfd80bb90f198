import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { type Export, type Member, readExports, snapshotOf } from '../docs/reference/exports.ts'
import { claimOf, readExamples } from './comment-examples.ts'

const entries = readExports()
const exports = entries.flatMap((entry) => entry.exports)
const members = exports.flatMap((one) => one.members.map((member) => [one, member] as const))
const named = (found: readonly (readonly [Export, Member])[]) =>
  found.map(([one, member]) => `${one.name}.${member.name}`)

test('the interface of plugins is as it was reviewed', () => {
  const reviewed = readFileSync(new URL('../plugin-sdk/api.md', import.meta.url), 'utf8')
  assert.equal(snapshotOf(entries), reviewed, 'when you mean to change it: npm run api, and look at what changed')
})

test('every export says what it is', () => {
  assert.ok(exports.length > 300)
  assert.deepEqual(
    exports.filter(({ doc }) => doc.text === '').map(({ name }) => name),
    [],
  )
})

test('every function and every call has a description, every function an example', () => {
  const calls = members.filter(([, { type }]) => /^\(.*\) => |^<.*>\(/.test(type))
  assert.ok(calls.length > 100)
  assert.deepEqual(named(calls.filter(([one, { doc }]) => doc.text === '' && !SELF_EXPLAINED.test(one.name))), [])
  const functions = exports.filter(({ kind }) => kind === 'function')
  assert.deepEqual(
    functions
      .filter((one) => ![one, ...one.members].some(({ doc }) => doc.tags.includes('example')))
      .map(({ name }) => name),
    [],
  )
})

test('every promise says what it waits for, itself or once for all of its interface', () => {
  const silent = members.filter(
    ([one, { isAsync, doc }]) => isAsync && ![doc, one.doc].some(({ text }) => WAITS.test(text)),
  )
  assert.deepEqual(named(silent), [])
})

test('every number says what it counts', () => {
  const numbers = members.filter(([, { type }]) => /^(number|Duration)( \| (null|undefined))*$/.test(type))
  assert.ok(numbers.length > 60)
  assert.deepEqual(named(numbers.filter(([, { name, doc }]) => doc.text === '' && !USUAL.test(name))), [])
})

test('what an example says comes of it does', async () => {
  const root = new URL('..', import.meta.url)
  let count = 0
  for (const example of readExamples(fileURLToPath(root))) {
    const claim = claimOf(example)
    if (claim === undefined) continue
    const module = await import(new URL(example.file, root).href)
    const value = (text: string): unknown => runInNewContext(`(${text})`, { [example.name]: module[example.name] })
    assert.equal(
      JSON.stringify(value(claim.asked)),
      JSON.stringify(value(claim.expected)),
      `${example.file}: ${claim.asked}`,
    )
    count++
  }
  assert.ok(count >= 10, `${count} examples say what comes of them`)
})

test('a function that throws says so, by codes that there are', () => {
  const codes = new Set(readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8').match(/BOLT_\w+/g))
  const documented = exports.flatMap((one) => [one, ...one.members].map((part) => ({ of: one.name, ...part })))
  assert.deepEqual(
    documented.filter((one) => 'throws' in one && one.throws && !one.doc.tags.includes('throws')).map(({ of }) => of),
    [],
  )
  const named = documented.flatMap(({ of, doc }) => (doc.text.match(/BOLT_\w+\w/g) ?? []).map((code) => ({ of, code })))
  assert.ok(named.length > 30)
  assert.deepEqual(
    named.filter(({ code }) => !codes.has(code) && !code.endsWith('_')),
    [],
  )
})

/** Views and stores of which one sentence says all: a get gets. */
const SELF_EXPLAINED = /^(Query|State)$/
const WAITS = /\b(resolves?|await(ed|s)?|rejects?|async)\b/i
/** Clock times in ms, and numbers of things, as the reference says on its first page. */
const USUAL = /^(at|\w+At|\w+Ms|id|number|build|step)$/
