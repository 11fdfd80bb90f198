import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredHook } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog, createSeededRandom } from 'boltbot/plugin-sdk/testing'
import { createDurableReader, type JournalEvent, type JournalReader } from '../../../core/host/durable-reader.ts'

test('a new reader begins at the head, which is stored at once; then it sees what comes, in order', async () => {
  const rig = createRig()
  rig.journal.add('slaveLost', 'before')
  const reader = rig.read()
  await reader.place()
  assert.equal(rig.journal.cursors.get('mail'), 1)
  reader.open()
  await rig.clock.settle()
  rig.journal.add('slaveLost', 'a')
  rig.journal.add('slaveConnected', 'not tapped')
  rig.journal.add('slaveLost', 'b')
  reader.wake()
  await rig.clock.settle()
  assert.deepEqual(rig.told, ['a', 'b'])
  assert.equal(rig.journal.cursors.get('mail'), 4)
  await reader.stop(5000)
})

test('a known reader goes on behind its cursor and gets what it missed', async () => {
  const rig = createRig()
  for (const slave of ['a', 'b', 'c']) rig.journal.add('slaveLost', slave)
  rig.journal.cursors.set('mail', 1)
  const reader = rig.read()
  await reader.place()
  rig.journal.add('slaveLost', 'd') // between place and open: not missed either
  reader.open()
  await rig.clock.settle()
  assert.deepEqual(rig.told, ['b', 'c', 'd'])
  await reader.stop(5000)
})

test('a failing event comes again with the same id after 1 s, 2 s, 4 s … up to 5 min; later events wait', async () => {
  const rig = createRig()
  const times: number[] = []
  let up = false
  const reader = rig.read(async (event) => {
    if (event.slave === 'a') times.push(rig.clock.now())
    if (!up) throw new Error('mail server down')
  })
  rig.journal.cursors.set('mail', 0)
  rig.journal.add('slaveLost', 'a')
  rig.journal.add('slaveLost', 'b')
  await reader.place()
  reader.open()
  await rig.clock.advance('2h')
  const gaps = times.slice(1).map((at, i) => at - times[i]!)
  for (const [i, gap] of gaps.entries()) {
    const plain = Math.min(1000 * 2 ** i, 300_000)
    assert.ok(gap >= plain * 0.8 && gap <= plain * 1.2, `gap ${i} is ${gap} ms`)
  }
  assert.ok(new Set(gaps.slice(9)).size > 1, 'not all alike')
  assert.deepEqual(
    rig.told,
    times.map(() => 'a'),
  )
  assert.equal(rig.journal.cursors.get('mail'), 0)
  assert.equal(reader.stuck?.event, 1)
  assert.equal(reader.stuck?.failures, times.length)
  assert.match(String(rig.log.find('warn')[0]?.fields.error), /mail server down/)
  up = true
  await rig.clock.advance('6m')
  assert.deepEqual(rig.told.slice(-2), ['a', 'b'])
  assert.equal(rig.journal.cursors.get('mail'), 2)
  assert.equal(reader.stuck, null)
  await reader.stop(5000)
  assert.deepEqual(rig.clock.pending(), [])
})

test('of two taps only the one that failed is asked again', async () => {
  const rig = createRig()
  const told: string[] = []
  let tries = 0
  const reader = createDurableReader({
    ...rig,
    plugin: 'mail',
    taps: [
      { hook: 'slaveLost', deliver: async () => void told.push('first') },
      {
        hook: 'slaveLost',
        deliver: async () => {
          if (tries++ === 0) throw new Error('once')
          told.push('second')
        },
      },
    ],
  })
  await reader.place()
  reader.open()
  rig.journal.add('slaveLost', 'a')
  reader.wake()
  await rig.clock.advance('2s')
  assert.deepEqual(told, ['first', 'second'])
  await reader.stop(5000)
})

test('a burst is written down in few writes, and never ahead of what was dealt with', async () => {
  const rig = createRig()
  rig.journal.cursors.set('mail', 0)
  for (let i = 0; i < 950; i++) rig.journal.add('slaveLost', `${i}`)
  rig.journal.onAdvance = (event) => assert.ok(event <= rig.told.length, 'the cursor ran ahead')
  const reader = rig.read()
  await reader.place()
  reader.open()
  await rig.clock.settle()
  await reader.stop(5000)
  assert.equal(rig.told.length, 950)
  assert.equal(rig.journal.cursors.get('mail'), 950)
  assert.ok(rig.journal.writes < 500, `${rig.journal.writes} writes`)
})

test('a slow target is written down event by event, so that a kill repeats only what was in hand', async () => {
  const rig = createRig()
  rig.journal.cursors.set('mail', 0)
  for (const slave of ['a', 'b', 'c']) rig.journal.add('slaveLost', slave)
  const reader = rig.read(() => rig.clock.sleep(100))
  await reader.place()
  reader.open()
  await rig.clock.advance(250)
  assert.deepEqual(rig.told, ['a', 'b', 'c'])
  assert.equal(rig.journal.cursors.get('mail'), 2)
  const stopped = reader.stop(5000)
  await rig.clock.advance(100)
  assert.equal(await stopped, undefined)
  assert.equal(rig.journal.cursors.get('mail'), 3)
})

test('stop names the hook that hangs and leaves its event for the next time', async () => {
  const rig = createRig()
  rig.journal.cursors.set('mail', 0)
  rig.journal.add('slaveLost', 'a')
  rig.journal.add('slaveLost', 'b')
  const reader = rig.read((event) => (event.slave === 'b' ? new Promise(() => {}) : undefined))
  await reader.place()
  reader.open()
  await rig.clock.settle()
  const stopped = reader.stop(5000)
  await rig.clock.advance('5s')
  assert.equal(await stopped, 'slaveLost')
  assert.equal(rig.journal.cursors.get('mail'), 1)
})

test('stop during a back-off does not wait for it', async () => {
  const rig = createRig()
  const reader = rig.read(() => Promise.reject(new Error('down')))
  await reader.place()
  reader.open()
  reader.wake([rig.journal.add('slaveLost', 'a')])
  await rig.clock.settle()
  assert.equal(reader.stuck?.failures, 1)
  await reader.stop(5000)
  assert.deepEqual(rig.clock.pending(), [])
})

test('events of others wake nobody, but the cursor moves over them in the end', async () => {
  const rig = createRig()
  const reader = rig.read()
  await reader.place()
  reader.open()
  await rig.clock.settle()
  const reads = rig.journal.reads
  for (let i = 0; i < 999; i++) {
    reader.wake([rig.journal.add('slaveConnected', 'x')])
  }
  await rig.clock.settle()
  assert.equal(rig.journal.reads, reads)
  reader.wake([rig.journal.add('slaveConnected', 'x')])
  await rig.clock.settle()
  assert.equal(rig.journal.cursors.get('mail'), 1000)
  await reader.stop(5000)
})

test('what is told of a commit is not read again, but where ids are missing', async () => {
  const rig = createRig()
  const reader = rig.read()
  await reader.place()
  reader.open()
  await rig.clock.settle()
  const reads = rig.journal.reads
  reader.wake([rig.journal.add('slaveLost', 'a'), rig.journal.add('slaveConnected', 'x')])
  reader.wake([rig.journal.add('slaveConnected', 'x')])
  reader.wake([rig.journal.add('slaveConnected', 'x'), rig.journal.add('slaveLost', 'b')])
  await rig.clock.settle()
  assert.deepEqual(rig.told, ['a', 'b'])
  assert.equal(rig.journal.reads, reads)
  rig.journal.add('slaveLost', 'of another master')
  reader.wake([rig.journal.add('slaveLost', 'c')])
  await rig.clock.settle()
  assert.deepEqual(rig.told, ['a', 'b', 'of another master', 'c'])
  await reader.stop(5000)
  assert.equal(rig.journal.cursors.get('mail'), 7)
})

test('an event that its tap passed is stored with the next one, or after a second, or at the stop', async () => {
  const rig = createRig()
  const reader = rig.read(({ slave }) => (slave === 'other' ? 'passed' : undefined))
  await reader.place()
  reader.open()
  await rig.clock.settle()
  const add = async (slave: string) => {
    reader.wake([rig.journal.add('slaveLost', slave)])
    await rig.clock.settle()
  }
  const writes = rig.journal.writes
  for (let i = 0; i < 20; i++) await add('other')
  assert.equal(rig.journal.writes, writes)
  await add('ours')
  assert.equal(rig.journal.writes, writes + 1)
  assert.equal(rig.journal.cursors.get('mail'), 21)
  await add('other')
  await rig.clock.advance(1000)
  assert.equal(rig.journal.cursors.get('mail'), 22)
  await add('other')
  await reader.stop(5000)
  assert.equal(rig.journal.cursors.get('mail'), 23)
  assert.deepEqual(rig.clock.pending(), [])
})

test('however commits, other masters, slow taps and stops fall together: each event once, in order', async (t) => {
  const seed = Number(process.env.BOLTBOT_SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}`)
  const random = createSeededRandom(seed)
  const one = (most: number) => Math.floor(random.next() * most)
  const rig = createRig()
  const due: string[] = []
  let isSlow = false
  const start = async () => {
    const reader = rig.read(() => (isSlow ? rig.clock.sleep(1 + one(20)) : undefined))
    await reader.place()
    return reader
  }
  let reader = await start()
  let isOpen = false
  const add = () => {
    const name = one(2) === 0 ? 'slaveLost' : 'slaveConnected'
    const slave = `${due.length}`
    if (name === 'slaveLost') due.push(slave)
    return rig.journal.add(name, slave)
  }
  for (let turn = 0; turn < 400; turn++) {
    const what = one(20)
    if (what === 0) isSlow = !isSlow
    else if (what === 1)
      add() // by another master: nobody tells
    else if (what === 2 && isOpen) {
      const stopped = reader.stop(60_000)
      await rig.clock.advance('1m')
      await stopped
      reader = await start()
      isOpen = false
    } else if (what === 3) await rig.clock.advance(one(50))
    else if (what < 6) {
      reader.open()
      isOpen = true
    } else reader.wake(Array.from({ length: 1 + one(what === 7 ? 150 : 3) }, add))
    for (let turns = one(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  }
  reader.open()
  reader.wake()
  await rig.clock.advance('10h')
  assert.deepEqual(rig.told, due)
  await reader.stop(5000)
})

test('a journal that cannot be read, or a cursor that cannot be stored, is reported and tried again', async () => {
  const rig = createRig()
  const reader = rig.read()
  await reader.place()
  rig.journal.broken = true
  reader.open()
  rig.journal.add('slaveLost', 'a')
  await rig.clock.advance('5s')
  assert.deepEqual(rig.told, [])
  assert.ok(rig.log.find('error', 'journal could not be read').length >= 2)
  rig.journal.broken = false
  rig.journal.onAdvance = () => {
    throw new Error('disk full')
  }
  await rig.clock.advance('10s')
  assert.deepEqual(rig.told, ['a'])
  assert.equal(rig.log.find('error', 'cursor could not be stored').length, 1)
  rig.journal.onAdvance = () => {}
  reader.wake([rig.journal.add('slaveLost', 'b')])
  await rig.clock.settle()
  assert.deepEqual(rig.told, ['a', 'b'])
  assert.equal(rig.journal.cursors.get('mail'), 2)
  await reader.stop(5000)
})

test('events are frozen', async () => {
  const rig = createRig()
  const reader = rig.read((event) => assert.ok(Object.isFrozen(event)))
  await reader.place()
  reader.open()
  rig.journal.add('slaveLost', 'a')
  reader.wake()
  await rig.clock.settle()
  assert.equal(reader.stuck, null)
  await reader.stop(5000)
})

function createRig() {
  const clock = createFakeClock()
  const log = createMemoryLog()
  const random = createSeededRandom(1)
  const journal = createFakeJournal()
  const told: string[] = []
  const read = (act: (event: { slave: string; eventId: number }) => unknown = () => {}) =>
    createDurableReader({
      plugin: 'mail',
      journal,
      clock,
      random,
      log,
      taps: [
        {
          hook: 'slaveLost',
          deliver: async (event) => {
            const lost = event as { slave: string; eventId: number }
            told.push(lost.slave)
            return await act(lost)
          },
        },
      ],
    })
  return { clock, log, random, journal, told, read }
}

function createFakeJournal() {
  const events: JournalEvent[] = []
  const journal = {
    cursors: new Map<string, number>(),
    reads: 0,
    writes: 0,
    broken: false,
    onAdvance: (_event: number) => {},
    add(name: StoredHook, slave: string) {
      const event = { name, event: { eventId: events.length + 1, at: 0, slave } } as unknown as JournalEvent
      events.push(event)
      return event
    },
    head: async () => events.length,
    async read({ after, names, limit }: { after: number; names: readonly StoredHook[]; limit: number }) {
      journal.reads++
      if (journal.broken) throw new Error('disk gone')
      return events.filter((item) => item.event.eventId > after && names.includes(item.name)).slice(0, limit)
    },
    cursor: async (plugin: string) => journal.cursors.get(plugin),
    async advance(plugin: string, event: number) {
      journal.writes++
      journal.onAdvance(event)
      await new Promise<void>((resolve) => setImmediate(resolve))
      journal.cursors.set(plugin, event)
    },
  }
  return journal satisfies JournalReader
}
