import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createFakeClock } from 'boltbot/plugin-sdk/testing'
import { createSyncs, type Synced } from '../../../core/store/syncs.ts'

interface Named extends Synced {
  readonly name: string
}

const build = (name: string): Named => ({ name, patient: false, sparing: false })
const plugin = (name: string): Named => ({ name, patient: true, sparing: true })

/** Syncs that end when the test says so. */
function openDisk() {
  const clock = createFakeClock()
  const begun: PromiseWithResolvers<void>[] = []
  const told: string[] = []
  const lost: string[] = []
  const syncs = createSyncs<Named>({
    time: clock,
    sync() {
      begun.push(Promise.withResolvers())
      return begun.at(-1)!.promise
    },
    durable: ({ name }) => void told.push(name),
    failed: (_, batches) => void lost.push(...batches.map(({ name }) => name)),
  })
  const end = async (sync: number) => {
    begun[sync]!.resolve()
    await nextTurn()
  }
  return { clock, syncs, begun, told, lost, end }
}

test('what a plugin stores is synced at once while nothing else is recorded', async () => {
  const { syncs, begun, told, end } = openDisk()
  syncs.add(plugin('a'))
  await nextTurn()
  assert.equal(begun.length, 1)
  await end(0)
  assert.deepEqual(told, ['a'])
})

test('while builds are recorded, what plugins store shares their syncs and is told in order', async () => {
  const { syncs, begun, told, end } = openDisk()
  syncs.add(build('1'))
  assert.equal(begun.length, 1)
  syncs.add(plugin('a'))
  syncs.add(plugin('b'))
  await end(0)
  assert.deepEqual([begun.length, told], [1, ['1']], 'none of its own, also behind the one that was under way')
  syncs.add(build('2'))
  assert.equal(begun.length, 2)
  await end(1)
  assert.deepEqual(told, ['1', 'a', 'b', '2'])
})

test('when no build comes, what a plugin stored has a sync of its own soon', async () => {
  const { clock, syncs, begun, told, end } = openDisk()
  syncs.add(build('1'))
  await end(0)
  syncs.add(plugin('a'))
  await nextTurn()
  assert.equal(begun.length, 1)
  await clock.advance('50ms')
  assert.equal(begun.length, 2)
  await end(1)
  assert.deepEqual(told, ['1', 'a'])
})

test('closing waits for what was spared, and a failed sync takes it along', async () => {
  const whole = openDisk()
  whole.syncs.add(build('1'))
  await whole.end(0)
  whole.syncs.add(plugin('a'))
  const closed = whole.syncs.close()
  assert.equal(whole.begun.length, 2)
  await whole.end(1)
  await closed
  assert.deepEqual(whole.told, ['1', 'a'])

  const broken = openDisk()
  broken.syncs.add(build('1'))
  broken.syncs.add(plugin('a'))
  const closing = broken.syncs.close()
  broken.begun[0]!.reject(new Error('the disk is gone'))
  await closing
  assert.deepEqual([broken.told, broken.lost], [[], ['1', 'a']])
})
