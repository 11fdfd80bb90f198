import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFakeClock, until } from 'boltbot/plugin-sdk/testing'
import { createMailThread } from '../../../plugins/changes/maildir/mail-thread.ts'
import { commitMail, createMaildir } from './maildir-folder.ts'

/** A mail that takes its time: mailparser looks at each of its lines. */
const SLOW = `\n${'\n'.repeat(5 << 20)}`

async function createWorld() {
  const folder = await createMaildir()
  const clock = createFakeClock()
  const thread = createMailThread({ clock }, () => new Error('stopped'))
  const place = async (text: string | Buffer) => join(folder.path, 'new', await folder.deliver(text))
  return {
    folder,
    clock,
    thread,
    place,
    open: (path: string) => thread.run({ what: 'open', path }),
    move: (path: string, to: string) => thread.run({ what: 'move', path, to }),
    [Symbol.asyncDispose]: async () => {
      await thread[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('a mail that takes more than a minute is given up, also amid others, and the ones around it are not', async () => {
  await using world = await createWorld()
  const { clock, place, open, move, folder } = world
  const [first, last] = [await place(commitMail(1)), await place(commitMail(2))]
  const slow = await place(SLOW)
  const to = join(folder.path, 'cur', 'first')
  const moved = move(first, to)
  let given: unknown
  const opened = open(slow).catch((error) => {
    given = error
  })
  const behind = open(last)
  // Then the thread is done with the first of the three.
  await until(
    () =>
      access(to).then(
        () => true,
        () => false,
      ),
    { what: 'the first mail to be moved' },
  )
  await until(
    async () => {
      await clock.advance('1m')
      return given !== undefined
    },
    { what: 'the slow mail to be given up' },
  )
  await opened
  assert.equal((given as { code: string }).code, 'BOLT_MAILDIR_SLOW')
  // Done already, it is asked for again: what is gone from `new` is fine.
  assert.deepEqual((await moved).what, 'not moved')
  assert.equal((await behind).what, 'mail')
})

test('a thread without work ends after a minute, and another one begins with the next mail', async () => {
  await using world = await createWorld()
  const path = await world.place(commitMail(1))
  assert.equal((await world.open(path)).what, 'mail')
  await world.clock.advance('1m')
  assert.deepEqual(world.clock.pending(), [])
  assert.equal((await world.open(path)).what, 'mail')
})

test('what waits when it is disposed is refused, and so is what comes later', async () => {
  await using world = await createWorld()
  const slow = await world.place(SLOW)
  const waiting = assert.rejects(world.open(slow), { message: 'stopped' })
  await world.thread[Symbol.asyncDispose]()
  await waiting
  await assert.rejects(world.open(slow), { message: 'stopped' })
  assert.deepEqual(world.clock.pending(), [])
})
