import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openHookQueue, type QueuedReport } from '../../../core/cli/hook/queue.ts'

const told = (event: number): QueuedReport => ({ kind: 'svn', repository: 'r', event })
const change = (comments: string) => ({ who: 'jane', files: [], comments })

function place(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-queue-'))
  context.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'boltbot')
}

test('tickets keep their order, and a number is given once', (context) => {
  const folder = place(context)
  const [one, other] = [openHookQueue(folder), openHookQueue(folder)]
  for (let i = 0; i < 12; i++) (i % 2 ? one : other).put(told(i))
  const events = one.list().map(({ name }) => one.report(name).event)
  assert.deepEqual(events, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})

test('changes take the place of their reports, and are gone when all are sent', (context) => {
  const queue = openHookQueue(place(context))
  for (const event of [1, 2, 3]) queue.put(told(event))
  const [first, second, third] = queue.list().map(({ name }) => name)
  queue.keep([first!, second!], [change('a'), change('b')], 7)
  assert.deepEqual(queue.list(), [
    { name: first, isRead: true },
    { name: third, isRead: false },
  ])
  assert.equal(queue.position, 7)
  const waiting = queue.waiting(first!)
  assert.deepEqual(
    waiting.map((one) => one.change.comments),
    ['a', 'b'],
  )
  queue.sent(first!)
  assert.deepEqual(queue.waiting(first!), [waiting[1]])
  queue.drop(first!)
  assert.deepEqual(
    queue.list().map(({ name }) => name),
    [third],
  )
})

test('who dies between keeping changes and removing their reports leaves nothing double and nothing lost', (context) => {
  const folder = place(context)
  const queue = openHookQueue(folder)
  for (const event of [1, 2]) queue.put(told(event))
  const tickets = queue.list().map(({ name }) => name)
  queue.keep(tickets, [change('a')], 'here')
  // As it was when the changes were on the disk and nothing else was.
  for (const name of tickets) writeFileSync(join(folder, 'queue', `${name}.report`), JSON.stringify(told(1)))
  rmSync(join(folder, 'position.json'))
  const next = openHookQueue(folder)
  assert.equal(next.list().find(({ isRead }) => isRead)?.name, tickets[0])
  assert.equal(next.waiting(tickets[0]!).length, 1)
  assert.deepEqual(next.list(), [{ name: tickets[0], isRead: true }])
  assert.equal(next.position, 'here')
})

test('one process at a time has the lock', (context) => {
  const folder = place(context)
  const [one, other] = [openHookQueue(folder), openHookQueue(folder)]
  const lock = one.lock()
  assert.ok(lock)
  assert.equal(other.lock(), null)
  lock[Symbol.dispose]()
  using again = other.lock()
  assert.ok(again)
})

test('whoever may write to the folder above may write to the queue, and nobody else', (context) => {
  const folder = place(context)
  chmodSync(join(folder, '..'), 0o2775)
  openHookQueue(folder).put(told(1))
  openHookQueue(folder).lock()?.[Symbol.dispose]()
  assert.equal(statSync(folder).mode & 0o7777, 0o2770)
  for (const name of readdirSync(join(folder, 'queue')))
    assert.equal(statSync(join(folder, 'queue', name)).mode & 0o777, 0o660, name)
  assert.equal(existsSync(join(folder, 'queue', 'lock')), true)
})
