import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Export, type Member, readExports, snapshotOf } from '../docs/reference/exports.ts'

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

/** Views and stores of which one sentence says all: a get gets. */
const SELF_EXPLAINED = /^(Query|State)$/
const WAITS = /\b(resolves?|await(ed|s)?|rejects?|async)\b/i
/** Clock times in ms, and numbers of things, as the reference says on its first page. */
const USUAL = /^(at|\w+At|\w+Ms|id|number|build|step)$/
