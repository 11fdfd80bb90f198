import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMemoryLog, createSeededRandom, until } from 'boltbot/plugin-sdk/testing'
import { createClock } from '../../../core/clock.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { readOutbox } from '../../../core/store/outbox-views.ts'
import { createSmtpSink, type SmtpSink, type Taken } from './smtp-sink.ts'

/** `BOLTBOT_LONG=1`: 10,000 messages and 20 kills, which takes minutes. */
const LONG = process.env.BOLTBOT_LONG === '1'
const MESSAGES = LONG ? 10_000 : 300
const KILLS = LONG ? 20 : 4
const seed = Number(process.env.BOLTBOT_SEED ?? 1)

test(`${MESSAGES} mails arrive over ${KILLS} kills and a server that comes and goes; copies are no more than kills`, async (t) => {
  t.diagnostic(`seed ${seed}`)
  const random = createSeededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'boltbot-kills-'))
  const file = join(folder, 'state.sqlite')
  /** All that a server said 250 to, in that order, nothing left out. */
  const taken: Taken[] = []
  let sink: SmtpSink
  const open = async (port?: number) => {
    const opened = await createSmtpSink({
      ...(port !== undefined && { port }),
      recipient: () => (random.next() < 0.002 ? '421 going away' : undefined),
      message() {
        if (random.next() >= 0.002) return undefined
        opened.dropAll() // in the middle of DATA: it was not taken
        return new Promise(() => {})
      },
    })
    const push = opened.mails as Taken[]
    push.push = (...mails: Taken[]) => taken.push(...mails)
    return opened
  }
  sink = await open()
  const { port } = sink
  const child = new URL('outbox-child.ts', import.meta.url).pathname
  let running: ChildProcess | undefined
  const start = () => {
    running = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', child, file, `${port}`, `${MESSAGES}`],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
  }
  try {
    start()
    for (let kill = 1; kill <= KILLS; kill++) {
      const mark = Math.floor((MESSAGES * (kill - 0.5 + random.next() * 0.5)) / (KILLS + 1))
      await until(() => taken.length >= mark, {
        what: `mail ${mark}`,
        deadline: 300_000,
        seen: () => `${taken.length}`,
      })
      const ended = once(running!, 'exit')
      running!.kill('SIGKILL')
      await ended
      if (kill % 2 === 0) {
        // The server is gone when the master comes back, and for a while.
        await sink[Symbol.asyncDispose]()
        start()
        await new Promise((resolve) => setImmediate(resolve))
        sink = await open(port)
      } else start()
    }
    const distinct = () => new Set(taken.map(({ mail }) => mail.subject)).size
    await until(() => distinct() === MESSAGES, { what: 'all mails', deadline: 600_000, seen: () => `${distinct()}` })
    const log = createMemoryLog()
    const count = async () => {
      const store = await openSqliteStore({ file, clock: createClock(log), log })
      const rows = await readOutbox(store, { limit: MESSAGES * 2 })
      await store.close()
      return rows
    }
    const rows = await until(
      async () => {
        const all = await count()
        return all.every(({ state }) => state === 'sent') ? all : null
      },
      { what: 'the outbox to note it', deadline: 60_000 },
    )
    assert.equal(rows.length, MESSAGES)

    const copies = Map.groupBy(taken, ({ mail }) => mail.subject!)
    const twice = [...copies].filter(([, mails]) => mails.length > 1)
    const extra = taken.length - MESSAGES
    t.diagnostic(`${taken.length} taken, ${extra} copies, ${rows.filter(({ inDoubt }) => inDoubt > 0).length} in doubt`)
    assert.ok(extra <= KILLS, `${extra} copies of ${KILLS} kills`)
    for (const [subject, mails] of twice) {
      assert.equal(new Set(mails.map(({ mail }) => mail.messageId)).size, 1, `copies of ${subject} have one Message-ID`)
      assert.ok(rows.find((row) => row.subject === subject)!.inDoubt > 0, `${subject} came twice and is in doubt`)
    }
    const order = Map.groupBy(copies.keys(), (subject) => Number(subject) % 7)
    for (const [thread, subjects] of order)
      assert.deepEqual(
        subjects,
        subjects.toSorted((a, b) => Number(a) - Number(b)),
        `order of thread ${thread}`,
      )
  } finally {
    running?.kill('SIGKILL')
    await sink[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
})
