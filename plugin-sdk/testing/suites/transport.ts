import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClock } from '../../../core/clock.ts'
import type { Command, CommandId, CommandIo, CommandResult, Stream } from '../../command.ts'
import { hasCode } from '../../errors.ts'
import type { SlaveView } from '../../model.ts'
import type { PluginInstance } from '../../plugin.ts'
import type { SlaveConnection } from '../../slave-transport.ts'
import { withoutLeaks } from '../leaks.ts'
import { createMemoryLog } from '../memory-log.ts'
import { createTestHost, type TestHost } from '../test-host.ts'
import { until } from '../until.ts'
import type { RunTest } from './run-test.ts'

/** A slave transport with slaves that can reach it, to be put through {@link transportSuite}. Its slaves run commands of `/bin/sh`. */
export interface TransportKind {
  /** For the names of the tests. */
  readonly name: string
  /** For one test. Awaited. */
  make(): Promise<TransportUnderTest>
}

/** Disposed when its test is over; then the transport has been stopped. */
export interface TransportUnderTest extends AsyncDisposable {
  /** The transport, on a free port of this machine. Called once. */
  plugin(): PluginInstance<'slave'>
  /**
   * Starts the program of the slave, which logs in with this name and password; called when the transport runs. Disposing ends it. Left
   * out: the transport starts the slave `bot` itself. One with an engine orders the slave of that: `running.engines`. Awaited.
   */
  slave?(name: string, password: string, running: TestHost): Promise<Disposable | AsyncDisposable>
}

/**
 * What every slave transport has to do, whatever it runs over: let in who has the password, run commands with all their output in order,
 * several at once, end them when asked, and tell the end of a link to everything that waits.
 * @example
 * import { test } from 'node:test' // or from 'vitest'
 * transportSuite(test, { name: 'carrier pigeons', make: () => startPigeons() })
 */
export function transportSuite(test: RunTest, kind: TransportKind): void {
  const it = (name: string, run: () => Promise<void>) => test(`the transport ${kind.name} ${name}`, run)
  const linked = (name: string, run: (link: Link) => Promise<void>) =>
    it(name, async () => {
      await using world = await createWorld(kind)
      await run(linkOf(await world.attached()))
    })

  linked('hands over a connection that answers', async ({ connection }) => {
    assert.equal(connection.slave, 'bot')
    assert.notEqual(connection.peer, '')
    await connection.ping(AbortSignal.timeout(10_000))
    await connection.startBuild('full')
    assert.ok(Number.isFinite(connection.lastHeard()))
  })

  linked('runs commands and hands over their output, in order', async ({ run }) => {
    const { result, text } = await run(
      sh('i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; echo wrong >&2; exit 3'),
    )
    assert.equal(result.cause, 'exit')
    assert.equal(result.exitCode, 3)
    assert.equal(text('stdout'), Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join(''))
    assert.equal(text('stderr'), 'wrong\n')
  })

  linked('waits until output is stored before it gives the result', async ({ run }) => {
    const [came, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let ended = false
    const output = () => {
      came.resolve()
      return stored.promise
    }
    const running = run(sh('echo last words'), { output }).finally(() => {
      ended = true
    })
    await until(came.promise, { what: 'the output' })
    await run(sh('sleep 0.1'), undefined, 'quick') // by now the first has ended on the slave
    assert.equal(ended, false)
    stored.resolve()
    await until(running, { what: 'the result' })
  })

  linked('tells of a command that cannot be started as a result', async ({ run }) => {
    const { result } = await run({ kind: 'shell', command: ['/no/such/program'] })
    assert.ok(result.cause === 'error' || result.exitCode !== 0, JSON.stringify(result))
  })

  linked('runs commands of several builders at once', async ({ run }) => {
    const both = await Promise.all(['full', 'quick'].map((name) => run(sh(`echo ${name}`), undefined, name)))
    assert.deepEqual(
      both.map(({ text }) => text('stdout')),
      ['full\n', 'quick\n'],
    )
  })

  linked('ends a command that is interrupted', async ({ connection, run }) => {
    let id: CommandId | undefined
    const io = { output: async () => connection.interrupt(id!, 'the suite wants it') }
    const running = run(sh('echo here; exec sleep 60'), io, 'full', (given) => (id = given))
    const { result } = await until(running, { what: 'the interrupted command to end' })
    assert.equal(result.cause, 'interrupted', JSON.stringify(result))
  })

  linked('tells all that waits when the link is closed', async ({ connection, run }) => {
    const began = Promise.withResolvers<void>()
    const running = run(sh('echo here; exec sleep 60'), { output: async () => began.resolve() })
    const lost = assert.rejects(running, (error) => hasCode(error, 'BOLT_SESSION_LOST'))
    await until(began.promise, { what: 'the command to begin' })
    connection.close('the suite wants it')
    await until(lost, { what: 'the command to be lost' })
    assert.equal(typeof (await until(connection.closed, { what: '"closed" to resolve' })), 'string')
    await assert.rejects(run(sh('true')), (error) => hasCode(error, 'BOLT_SESSION_LOST'))
  })

  it('lets nobody in with a wrong password, or under a name that is not known', async () => {
    await using world = await createWorld(kind)
    if (!world.slave) return // it starts its slaves itself
    for (const [name, password] of [
      ['bot', 'wrong'],
      ['stranger', PASSWORD],
    ] as const) {
      await using _ = disposing(await world.slave(name, password))
      await until(() => world.host.log.find('warn').length > 0, {
        what: `the refusal of "${name}" to be logged`,
        seen: () => world.host.log.text(),
      })
      assert.deepEqual(world.host.attached, [])
    }
  })

  it('leaves nothing behind when it is stopped', () =>
    withoutLeaks(async () => {
      await using world = await createWorld(kind)
      await world.attached()
    }))
}

const PASSWORD = 'open sesame'
const sh = (command: string): Command => ({ kind: 'shell', command })

interface Link {
  readonly connection: SlaveConnection
  run(
    command: Command,
    io?: CommandIo,
    builder?: string,
    named?: (id: CommandId) => void,
  ): Promise<{ readonly result: CommandResult; text(stream: Stream): string }>
}

let commands = 0

function linkOf(connection: SlaveConnection): Link {
  return {
    connection,
    async run(command, io, builder = 'full', named = () => {}) {
      const id = { build: 1, epoch: 1, step: 0, index: commands++ }
      named(id)
      const texts: Record<Stream, string> = { stdout: '', stderr: '', header: '' }
      let length = 0
      const kept: CommandIo = {
        async output(log, stream, offset, data) {
          assert.equal(log, 'stdio')
          assert.ok(offset <= length, `bytes ${length} to ${offset} are missing`)
          texts[stream] += Buffer.from(data.subarray(length - offset)).toString()
          length = Math.max(length, offset + data.length)
        },
      }
      const result = await connection.run(id, builder, command, io ?? kept)
      connection.forget(id)
      return { result, text: (stream) => texts[stream] }
    },
  }
}

async function createWorld(kind: TransportKind) {
  await using stack = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-transport-'))
  stack.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  const made = stack.use(await kind.make())
  const log = createMemoryLog()
  const host: TestHost = stack.use(
    createTestHost({
      directory,
      log,
      slaves: { bot: made.slave === undefined ? undefined : PASSWORD },
      query: { slaves: async () => [{ name: 'bot' } as SlaveView] }, // transports that start slaves look at the names
      override: { clock: createClock(log) }, // links are real, and so are their keepalives
    }),
  )
  await host.run(made.plugin())
  const all = stack.move()
  return {
    host,
    slave: made.slave && ((name: string, password: string) => made.slave!(name, password, host)),
    /** The connection of `bot`, with its builders. */
    async attached(): Promise<SlaveConnection> {
      if (made.slave) all.use(disposing(await made.slave('bot', PASSWORD, host)))
      const connection = await until(() => host.attached[0], { what: 'the slave to attach', seen: () => log.text() })
      await connection.setBuilders(['full', 'quick'].map((name) => ({ name, directory: name })))
      return connection
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

const disposing = (thing: Disposable | AsyncDisposable): AsyncDisposable => ({
  async [Symbol.asyncDispose]() {
    await (Symbol.asyncDispose in thing ? thing[Symbol.asyncDispose]() : thing[Symbol.dispose]())
  },
})
