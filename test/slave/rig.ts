import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command, CommandId, CommandIo, CommandResult, SlaveConnection, Stream } from 'boltbot/plugin-sdk'
import { createMemoryLog, createTestHost, type MemoryLog, type TestHost, until } from 'boltbot/plugin-sdk/testing'
import { type AgentsOptions, agents } from 'boltbot/plugins/slaves/websocket'
import { createClock } from '../../core/clock.ts'
import { runSlave } from '../../slave/main.ts'

export const PASSWORD = 'open sesame'

/** The master's side of a real WebSocket, with a scripted door: what connects is in `attached`. */
export interface MasterEnd extends AsyncDisposable {
  readonly port: number
  readonly log: MemoryLog
  readonly test: TestHost
  /** The next connection after those seen so far, with its builder `full` set. */
  next(): Promise<SlaveConnection>
}

export async function openMaster(options: Partial<AgentsOptions> = {}, slaves = { bot: PASSWORD }): Promise<MasterEnd> {
  const log = createMemoryLog()
  const test = createTestHost({ log, slaves, override: { clock: createClock(log) } })
  let port = 0
  await test.run(agents({ port: 0, ...options, onListening: (bound) => void (port = bound) }))
  let seen = 0
  return {
    port,
    log,
    test,
    async next() {
      const index = seen++
      const connection = await until(() => test.attached[index], {
        what: `the connection ${index} of a slave`,
        seen: () => log.text(),
      })
      await connection.setBuilders([{ name: 'full', directory: 'full' }])
      return connection
    },
    [Symbol.asyncDispose]: () => test.stop(),
  }
}

/** A base directory as `boltbot slave` makes it. */
export function makeBasedir(
  url: string,
  settings: object = {},
  password = PASSWORD,
): { readonly path: string } & Disposable {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'boltbot-slave-')))
  mkdirSync(join(path, 'info'))
  writeFileSync(join(path, 'info', 'admin'), 'Jane <jane@example.org>\n')
  writeFileSync(join(path, 'password'), `${password}\n`, { mode: 0o600 })
  const all = { url, name: 'bot', passwordFile: 'password', keepalive: 60, maxdelay: 0.2, ...settings }
  writeFileSync(join(path, 'slave.json'), JSON.stringify(all))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** The agent in this process. */
export function startAgent(basedir: string): AsyncDisposable & { readonly log: MemoryLog } {
  const abort = new AbortController()
  const log = createMemoryLog()
  const running = runSlave({ basedir, signal: abort.signal, log })
  running.catch(() => {}) // told when it is disposed
  return {
    log,
    async [Symbol.asyncDispose]() {
      abort.abort(new Error('the test is over'))
      await running
    },
  }
}

/** The agent as a process of its own. */
export interface AgentProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
}

export function spawnAgent(basedir: string): AgentProcess {
  const main = fileURLToPath(new URL('../../slave/boltbot-slave.js', import.meta.url))
  const child = spawn(process.execPath, [main, basedir], { stdio: 'ignore' })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  return {
    child,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await until(exited, { what: 'the agent to exit', deadline: 15_000 }).catch(() => child.kill('SIGKILL'))
    },
  }
}

/** A master, an agent in this process, and their link. */
export interface SlaveRig extends AsyncDisposable {
  readonly basedir: string
  /** The builder's directory. */
  readonly directory: string
  readonly master: MasterEnd
  readonly connection: SlaveConnection
  run(command: Command, io?: Partial<CommandIo>): Promise<Ran>
}

export interface Ran {
  readonly result: CommandResult
  /** All bytes of the log, or those of one stream. */
  text(stream?: Stream): string
}

export async function createSlaveRig(settings: object = {}): Promise<SlaveRig> {
  await using stack = new AsyncDisposableStack()
  const master = stack.use(await openMaster())
  const basedir = stack.use(makeBasedir(`ws://127.0.0.1:${master.port}`, settings))
  stack.use(startAgent(basedir.path))
  const connection = await master.next()
  const move = stack.move()
  return {
    basedir: basedir.path,
    directory: join(basedir.path, 'full'),
    master,
    connection,
    async run(command, io = {}) {
      const id = nextId()
      const record = createRecord()
      const result = await connection.run(id, 'full', command, { ...record.io, ...io })
      connection.forget(id)
      return { result, text: record.text }
    },
    [Symbol.asyncDispose]: () => move.disposeAsync(),
  }
}

let ids = 0
export const nextId = (): CommandId => ({ build: 1, epoch: 1, step: 0, index: ids++ })

/** Takes output as core does: by offset, what was there already ignored; and holds any gap against the slave. */
export function createRecord() {
  const pieces: { readonly stream: Stream; readonly data: Uint8Array; readonly at: number }[] = []
  let length = 0
  const io: CommandIo = {
    async output(log, stream, offset, data) {
      if (log !== 'stdio') throw new Error(`unexpected log ${log}`)
      if (offset > length) throw new Error(`bytes ${length} to ${offset} are missing`)
      const fresh = data.subarray(length - offset)
      if (fresh.length === 0) return
      pieces.push({ stream, data: fresh.slice(), at: Date.now() })
      length += fresh.length
    },
  }
  return {
    io,
    pieces,
    get length() {
      return length
    },
    bytes: (stream?: Stream) =>
      Buffer.concat(
        pieces.filter((piece) => stream === undefined || piece.stream === stream).map((piece) => piece.data),
      ),
    text: (stream?: Stream) =>
      pieces
        .filter((piece) => stream === undefined || piece.stream === stream)
        .map((piece) => Buffer.from(piece.data).toString())
        .join(''),
  }
}
