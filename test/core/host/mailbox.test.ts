import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObserveHook } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { type Letter, Mailbox } from '../../../core/host/mailbox.ts'
import { createTurns } from '../../../core/host/turns.ts'

const NO_CONTEXT = { signal: new AbortController().signal }

test('letters wait until it is opened, then come one at a time in their order', async () => {
  const { clock, mailbox, post, told } = createRig()
  post('buildStarted', '1')
  post('logAppended', '2')
  post('buildFinished', '3')
  await clock.settle()
  assert.deepEqual([told, mailbox.depth], [[], 3])
  mailbox.open()
  assert.deepEqual(told, [], 'never in the turn of whoever posts')
  await clock.settle()
  assert.deepEqual([told, mailbox.depth], [['1', '2', '3'], 0])
})

test('a slow letter holds up those behind it', async () => {
  const { clock, mailbox, post, told } = createRig()
  mailbox.open()
  const slow = post('buildStarted', 'slow', Promise.withResolvers<void>())
  post('buildFinished', 'next')
  await clock.settle()
  assert.deepEqual([told, mailbox.depth], [['slow'], 2])
  slow?.resolve()
  await clock.settle()
  assert.deepEqual(told, ['slow', 'next'])
})

test('a full mailbox drops the oldest log events first, then the oldest of all, and says so once', async () => {
  const { clock, mailbox, post, told, log } = createRig(4)
  post('logAppended', 'log 1')
  post('buildStarted', 'event 1')
  post('logAppended', 'log 2')
  post('stepStarted', 'event 2')
  post('stepFinished', 'event 3')
  post('buildFinished', 'event 4')
  assert.equal(mailbox.dropped, 2)
  post('buildFinished', 'event 5')
  assert.equal(mailbox.dropped, 3)
  mailbox.open()
  await clock.settle()
  assert.deepEqual(told, ['event 2', 'event 3', 'event 4', 'event 5'])
  assert.equal(log.find('warn', 'mailbox full, oldest events dropped').length, 1)
  assert.equal(log.find('warn', 'mailbox empty again after events were dropped')[0]?.fields.dropped, 3)
})

test('draining delivers what is there and takes nothing new', async () => {
  const { clock, mailbox, post, told } = createRig()
  mailbox.open()
  for (let i = 0; i < 200; i++) post('buildFinished', `${i}`)
  const drained = mailbox.drain(5000)
  post('buildFinished', 'too late')
  assert.deepEqual(await drained, [])
  assert.equal(told.length, 200)
  assert.deepEqual(clock.pending(), [])
})

test('draining gives up at its deadline and names what is left', async () => {
  const { clock, mailbox, post } = createRig()
  mailbox.open()
  post('buildStarted', 'hangs', Promise.withResolvers<void>())
  post('buildFinished', 'never told')
  await clock.settle()
  const drained = mailbox.drain(5000)
  await clock.advance(5000)
  assert.deepEqual(await drained, ['buildStarted', 'buildFinished'])
  mailbox.clear()
  assert.equal(mailbox.depth, 1)
})

test('ten thousand letters do not keep the event loop from turning', async () => {
  const { mailbox, post, told } = createRig()
  mailbox.open()
  for (let i = 0; i < 10_000; i++) post('stepFinished', `${i}`)
  await new Promise<void>((resolve) => setImmediate(resolve))
  assert.ok(told.length < 10_000, 'other work had a turn before all were told')
  await mailbox.drain(5000)
  assert.equal(told.length, 10_000)
  assert.equal(told[9999], '9999')
})

function createRig(limit = 10_000) {
  const clock = createFakeClock()
  const log = createMemoryLog()
  const told: string[] = []
  const deliver = ({ tap, event }: Letter) => {
    told.push(String(event))
    return tap(event as never, NO_CONTEXT) as Promise<void> | undefined
  }
  const mailbox = new Mailbox({ turns: createTurns(), clock, log, courier: { deliver }, limit })
  const post = (hook: ObserveHook, text: string, until?: PromiseWithResolvers<void>) => {
    mailbox.post(hook, () => until?.promise, text)
    return until
  }
  return { clock, log, mailbox, told, post }
}
