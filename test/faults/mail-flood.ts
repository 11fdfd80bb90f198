import assert from 'node:assert/strict'
import { join } from 'node:path'
import { createMemoryLog, createSeededRandom, until } from 'boltbot/plugin-sdk/testing'
import { createClock } from '../../core/clock.ts'
import { openSqliteStore } from '../../core/store/open.ts'
import type { World } from '../e2e/rig.ts'
import { createSmtpSink, type SmtpSink } from '../plugins/status/smtp-sink.ts'
import { CONFIG, FLOOD } from './mail-flood-config.ts'

export interface FloodOptions {
  readonly seed: number
  /** Builds, each with a mail. */
  readonly builds: number
  /** Of the master. Half as often the mail server goes away and comes back, beside the connections it breaks. */
  readonly kills: number
  readonly told: (line: string) => void
}

/** What the server said 250 to. */
interface Taken {
  readonly messageId: string
  readonly event: number
  readonly build: number
  /** Head of its thread; `null`: it is in none. */
  readonly thread: string | null
}

/**
 * A real master builds one build after the other, each told by a mail, while it is killed and the mail server comes and goes. Then all
 * that the server ever took is counted, nothing left out, and held against the builds and the outbox.
 */
export async function runMailFlood(world: World, { seed, builds, kills, told }: FloodOptions): Promise<void> {
  const chance = createSeededRandom(seed)
  const taken: Taken[] = []
  const server = await createFlappingServer(taken, chance)
  world.use(server)
  const began = performance.now()
  let master = await world.master(CONFIG(server.port, builds), { files: { 'flood.ts': FLOOD } })
  const strikes = [...Array<'kill'>(kills).fill('kill'), ...Array<'outage'>(Math.ceil(kills / 2)).fill('outage')]
  const marks = strikes.map(() => Math.floor(builds * 0.95 * chance.next())).sort((a, b) => a - b)
  for (const mark of marks) {
    const [strike] = strikes.splice(Math.floor(chance.next() * strikes.length), 1)
    await until(() => taken.length >= mark, { what: `mail ${mark}`, deadline: 300_000, seen: () => `${taken.length}` })
    told(`${strike} at ${taken.length} mails, ${Math.round((performance.now() - began) / 1000)} s`)
    if (strike === 'outage') await server.flap(chance.next() * 1000)
    else {
      await master.kill('SIGKILL')
      // Every other time the server is not there when the master comes back.
      const outage = chance.next() < 0.5 ? server.flap(chance.next() * 3000) : undefined
      master = await world.startMaster(master.basedir)
      await outage
    }
  }
  const distinct = () => new Set(taken.map(({ messageId }) => messageId)).size
  await until(() => distinct() >= builds, { what: 'all mails', deadline: 1_200_000, seen: () => `${distinct()}` })
  const seconds = (performance.now() - began) / 1000
  await master.kill('SIGTERM')
  const { extra, inDoubt } = await checkFlood(join(master.basedir, 'state.sqlite'), { taken, builds, kills })
  told(
    `${builds} builds, ${taken.length} mails in ${seconds.toFixed(0)} s: ${extra} copies of ${kills} kills, ${inDoubt} in doubt, ${server.broken()} broken connections`,
  )
}

interface Outcome {
  readonly taken: readonly Taken[]
  readonly builds: number
  readonly kills: number
}

async function checkFlood(file: string, { taken, builds, kills }: Outcome) {
  const log = createMemoryLog()
  const store = await openSqliteStore({ file, clock: createClock(log), log })
  try {
    const ended = await store.db.selectFrom('builds').select(['number', 'result']).execute()
    const due = ended.filter(({ result }) => result === 'success' || result === 'failure')
    assert.equal(due.length, builds, 'each request was built')
    const byBuild = Map.groupBy(taken, ({ build }) => build)
    const lost = due.filter(({ number }) => !byBuild.has(number)).map(({ number }) => number)
    assert.deepEqual(lost, [], 'builds whose mail never came')
    assert.equal(byBuild.size, builds, 'mails about nothing that was due')

    const rows = await store.db.selectFrom('outbox').select(['key', 'state', 'in_doubt']).execute()
    assert.deepEqual(
      rows.filter(({ state }) => state !== 'sent').map(({ key }) => key),
      [],
      'mails not noted as sent',
    )
    const doubtful = new Set(rows.filter((row) => row.in_doubt > 0).map(({ key }) => key))
    const extra = taken.length - builds
    assert.ok(extra <= kills, `${extra} copies of ${kills} kills`)
    for (const [build, mails] of byBuild) {
      assert.equal(
        new Set(mails.map(({ messageId }) => messageId)).size,
        1,
        `mails of build ${build} have one Message-ID`,
      )
      if (mails.length > 1) assert.ok(doubtful.has(`build:${mails[0]!.event}`), `build ${build} came twice, in doubt`)
    }
    const firsts = [...byBuild.values()].map(([first]) => first!)
    for (const [thread, mails] of Map.groupBy(firsts, (mail) => mail.thread)) {
      if (thread === null) continue
      const events = mails.map(({ event }) => event)
      assert.deepEqual(
        events,
        events.toSorted((a, b) => a - b),
        `order of thread ${thread}`,
      )
    }
    return { extra, inDoubt: doubtful.size }
  } finally {
    await store.close()
  }
}

/** A mail server that now and then breaks a connection, in the middle of a message or with a 421, and that can go away for a while. */
async function createFlappingServer(taken: Taken[], chance: { next(): number }) {
  let broken = 0
  let sink: SmtpSink | undefined
  const open = async (port?: number): Promise<SmtpSink> => {
    const opened: SmtpSink = await createSmtpSink({
      ...(port !== undefined && { port }),
      recipient() {
        if (chance.next() >= 0.001) return undefined
        broken++
        return '421 going away'
      },
      more: {
        onData(stream, _, done) {
          const parts: Buffer[] = []
          const breaks = chance.next() < 0.001
          stream.on('data', (data: Buffer) => {
            parts.push(data)
          })
          stream.on('end', () => {
            if (breaks) {
              broken++
              opened.dropAll()
              return
            }
            taken.push(takenOf(Buffer.concat(parts).toString()))
            done()
          })
        },
      },
    })
    return opened
  }
  sink = await open()
  const { port } = sink
  return {
    port,
    broken: () => broken,
    /** Gone for so many ms. */
    async flap(ms: number) {
      await sink?.[Symbol.asyncDispose]()
      await new Promise((resolve) => setTimeout(resolve, ms))
      sink = await open(port)
    },
    async [Symbol.asyncDispose]() {
      await sink?.[Symbol.asyncDispose]()
    },
  }
}

function takenOf(raw: string): Taken {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ')
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1]?.trim()
  return {
    messageId: header('Message-ID') ?? '',
    event: Number(header('X-Boltbot-Event')),
    build: Number(header('X-Boltbot-Build')),
    thread: header('References')?.split(/\s+/)[0] ?? null,
  }
}
