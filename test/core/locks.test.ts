import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeededRandom } from 'boltbot/plugin-sdk/testing'
import { createLocks, type LockNeed } from '../../core/locks.ts'

const scope = (name: string, capacity = 1) => ({ name, capacity })
const exclusive = (name: string): LockNeed => ({ scope: scope(name), mode: 'exclusive' })
const counting = (name: string, capacity: number): LockNeed => ({ scope: scope(name, capacity), mode: 'counting' })
const never = new AbortController().signal

const granted = (value: Disposable | { blockedBy: string }): Disposable => {
  if ('blockedBy' in value) assert.fail(`blocked by ${value.blockedBy}`)
  return value
}

test('counting holders share a lock up to its capacity', () => {
  const locks = createLocks(() => {})
  granted(locks.tryTake('a', 'full #1', [counting('cpu', 2)]))
  granted(locks.tryTake('b', 'full #2', [counting('cpu', 2)]))
  const third = locks.tryTake('c', 'full #3', [counting('cpu', 2)])
  assert.deepEqual(third, { blockedBy: 'lock cpu held by full #1, full #2' })
})

test('an exclusive holder is alone, and says who is in its way', () => {
  const locks = createLocks(() => {})
  const first = granted(locks.tryTake('a', 'full #1', [counting('db', 5)]))
  assert.deepEqual(locks.tryTake('b', 'full #2', [exclusive('db')]), { blockedBy: 'lock db held by full #1' })
  first[Symbol.dispose]()
  granted(locks.tryTake('b', 'full #2', [exclusive('db')]))
  assert.deepEqual(locks.tryTake('c', 'full #3', [counting('db', 5)]), { blockedBy: 'lock db held by full #2' })
})

test('a set is granted whole or not at all', () => {
  const locks = createLocks(() => {})
  granted(locks.tryTake('a', 'one', [exclusive('x')]))
  assert.ok('blockedBy' in locks.tryTake('b', 'two', [exclusive('y'), exclusive('x')]))
  assert.deepEqual(
    locks.holders().map((holder) => `${holder.holder} ${holder.scope}`),
    ['one x'],
  )
})

test('a waiting exclusive claim is not passed by later counting ones', async () => {
  const locks = createLocks(() => {})
  const first = granted(locks.tryTake('a', 'one', [counting('cpu', 2)]))
  const order: string[] = []
  const second = locks.take('b', 'two', [{ ...counting('cpu', 2), mode: 'exclusive' }], never).then((hold) => {
    order.push('two')
    return hold
  })
  const third = locks
    .take('c', 'three', [counting('cpu', 2)], never, (why) => order.push(why))
    .then(() => order.push('three'))
  first[Symbol.dispose]()
  ;(await second)[Symbol.dispose]()
  await third
  assert.deepEqual(order, ['lock cpu wanted before by two', 'two', 'three'])
})

test('giving up a place lets those behind it go on', async () => {
  const locks = createLocks(() => {})
  granted(locks.tryTake('a', 'one', [counting('cpu', 2)]))
  const abort = new AbortController()
  const waiting = locks.take('b', 'two', [{ ...counting('cpu', 2), mode: 'exclusive' }], abort.signal)
  const behind = locks.take('c', 'three', [counting('cpu', 2)], never)
  abort.abort(new Error('stopped'))
  await assert.rejects(waiting, /stopped/)
  await behind
})

test('a release tells builds to try again, once per release', () => {
  let told = 0
  const locks = createLocks(() => told++)
  const hold = granted(locks.tryTake('a', 'one', [exclusive('x')]))
  hold[Symbol.dispose]()
  hold[Symbol.dispose]()
  assert.equal(told, 1)
})

test('on random schedules no capacity is exceeded and everybody gets its turn', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = createSeededRandom(seed)
    const pick = (count: number) => Math.floor(random.next() * count)
    const locks = createLocks(() => {})
    const capacities = [1, 2, 3]
    const holds = new Set<Disposable>()
    let waiting = 0
    for (let n = 0; n < 60; n++) {
      if (holds.size > 0 && pick(3) === 0) {
        const hold = [...holds][pick(holds.size)]!
        holds.delete(hold)
        hold[Symbol.dispose]()
      } else {
        const needs = [0, 1, 2]
          .filter(() => pick(2) === 0)
          .map(
            (i): LockNeed => ({
              scope: scope(`l${i}`, capacities[i]!),
              mode: pick(3) === 0 ? 'exclusive' : 'counting',
            }),
          )
        waiting++
        void locks.take(`t${n}`, `h${n}`, needs, never).then((hold) => {
          waiting--
          holds.add(hold)
        })
      }
      await Promise.resolve()
      for (const [i, capacity] of capacities.entries()) {
        const users = locks.holders().filter((holder) => holder.scope === `l${i}`)
        const alone = users.some((user) => user.mode === 'exclusive')
        assert.ok(users.length <= (alone ? 1 : capacity), `seed ${seed}: lock l${i} held by ${users.length}`)
      }
    }
    for (let guard = 0; waiting > 0 || holds.size > 0; guard++) {
      assert.ok(guard < 1000, `seed ${seed}: ${waiting} claims starve`)
      for (const hold of holds) hold[Symbol.dispose]()
      holds.clear()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
})
