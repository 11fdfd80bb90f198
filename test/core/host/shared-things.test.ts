import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { createSharedThings } from '../../../core/host/shared-things.ts'

function rig() {
  const calls: string[] = []
  const things = createSharedThings({ clock: createFakeClock(), log: createMemoryLog() })
  const open = (name: string) => () => {
    calls.push(`open ${name}`)
    return { name, [Symbol.asyncDispose]: async () => void calls.push(`close ${name}`) }
  }
  return { calls, things, open }
}

test('a shared thing is opened for the first and closed behind the last', async () => {
  const { calls, things, open } = rig()
  const [a, b] = await Promise.all([things.take('port', open('one')), things.take('port', open('two'))])
  assert.equal(a.thing, b.thing)
  await a[Symbol.asyncDispose]()
  await a[Symbol.asyncDispose]()
  assert.deepEqual(calls, ['open one'])
  await b[Symbol.asyncDispose]()
  assert.deepEqual(calls, ['open one', 'close one'])
})

test('one that is on its way out is gone before the next is opened', async () => {
  const { calls, things, open } = rig()
  const first = await things.take('port', open('one'))
  const closed = first[Symbol.asyncDispose]()
  const next = await things.take('port', open('two'))
  await closed
  assert.deepEqual(calls, ['open one', 'close one', 'open two'])
  assert.equal(next.thing.name, 'two')
})

test('one that cannot be opened is refused to all who asked, and tried anew for the next', async () => {
  const { calls, things, open } = rig()
  const broken = () => {
    throw new Error('port taken')
  }
  const asked = await Promise.allSettled([things.take('port', broken), things.take('port', open('never'))])
  assert.deepEqual(
    asked.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await things.take('port', open('one'))
  assert.deepEqual(calls, ['open one'])
})

test('things of different keys are different', async () => {
  const { things, open } = rig()
  const a = await things.take('a', open('one'))
  const b = await things.take('b', open('two'))
  assert.notEqual(a.thing, b.thing)
})
