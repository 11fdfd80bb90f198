import { randomBytes } from 'node:crypto'
import { messageOf } from 'boltbot/plugin-sdk'
import { isPackedMap, type Message, type Packed } from '../../../wire/msgpack/envelope.ts'
import { type Peer, PeerError, textIn } from '../../../wire/msgpack/peer.ts'
import { linkLost as lostLink, workerRefused } from '../errors.ts'
import type { StockLink, WorkerInfo } from '../stock-link.ts'
import { joinPath, relativeTo } from '../stock-paths.ts'
import { workerCommand } from './stock-arguments.ts'
import { createStockCommand, type StockCommand } from './stock-command.ts'
import type { UnendedCommands } from './unended.ts'

export interface StockWorkerDeps {
  readonly slave: string
  readonly peerName: string
  readonly peer: Peer
  readonly closed: Promise<string>
  readonly lastHeard: () => number
  readonly close: (reason: string) => void
  readonly unended: UnendedCommands
}

export interface StockWorkerLink extends StockLink {
  /** A call of the worker. */
  handle(message: Message): Packed | Promise<Packed>
}

/** How the worker gathers its output: hardly at all, and whole lines however long. */
const SETTINGS = {
  buffer_size: 65_536,
  buffer_timeout: 0.2,
  max_line_length: 1024 * 1024,
  newline_re: String.raw`(\r\n|\r(?=.)|\033\[u|\033\[[0-9]+;[0-9]+[Hf]|\033\[2J|\x08+)`,
}

/** Asks a stock worker what it is, and tells it how to send its output. */
export async function greetWorker(peer: Peer): Promise<WorkerInfo> {
  peer.call('print', { message: 'attached' }).catch(() => {}) // it is only for the worker's log
  const info = infoOf(await peer.call('get_worker_info'))
  await peer.call('set_worker_settings', { args: SETTINGS })
  return info
}

/** Ends what it still runs of earlier links. */
export async function endUnended(peer: Peer, unended: UnendedCommands): Promise<void> {
  const why = 'its link broke'
  for (const id of await unended.read())
    await peer.call('interrupt_command', { command_id: id, why }).catch(ignoreRefusal)
  unended.clear()
}

/** One that it does not know any more has ended. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof PeerError)) throw error
}

/** A stock worker over Buildbot's msgpack protocol. `info` is what it said when it was greeted. */
export function createStockWorkerLink(deps: StockWorkerDeps, info: WorkerInfo): StockWorkerLink {
  const { slave, peer, unended } = deps
  const directories = new Map<string, string>()
  const commands = new Map<string, StockCommand>()
  let lostBecause: string | undefined
  /** The worker keeps commands of earlier links by their names: those of this one are others. */
  const prefix = randomBytes(6).toString('hex')
  let last = 0
  void deps.closed.then((reason) => {
    lostBecause = reason
  })

  async function call(op: string, fields: Readonly<Record<string, Packed>> = {}): Promise<Packed> {
    try {
      return await peer.call(op, fields)
    } catch (error) {
      if (error instanceof PeerError) throw workerRefused(slave, op, error.message)
      throw lostLink(slave, lostBecause ?? messageOf(error))
    }
  }

  /** Never resolves; rejects when the link is gone. */
  async function lost(): Promise<never> {
    throw lostLink(slave, await deps.closed)
  }

  function begin(name: string, args: Readonly<Record<string, Packed>>, command: StockCommand, builder?: string) {
    const number = `${prefix}-${++last}`
    commands.set(number, command)
    const fields = {
      command_id: number,
      command_name: name,
      args,
      ...(builder !== undefined && { builder_name: builder }),
    }
    const refused = (error: unknown) => {
      if ((error as { readonly code?: string }).code === 'BOLT_WORKERS_REFUSED') return messageOf(error)
      throw error
    }
    const noted = name === 'shell' ? unended.begin(number) : Promise.resolve()
    const started = noted.then(() => call('start_command', fields)).then(() => command.completed, refused)
    started.then(
      () => unended.end(number),
      () => {}, // the link is gone, and it may run on
    )
    started.catch(() => {}) // the race may be over
    return { number, done: Promise.race([started, lost()]) }
  }

  /** A command of the master's own, outside of any build. */
  async function own(name: string, args: Readonly<Record<string, Packed>>): Promise<readonly string[]> {
    let exit: number | null = null
    let files: readonly string[] = []
    let words = ''
    const command = createStockCommand(
      {
        text: async (_, text) => void (words = text),
        log: async () => {},
        exit: (code) => void (exit = code),
        found: (data) => void (files = data as readonly string[]), // of listdir, a list of texts
        reason: () => {},
        interrupted: () => {},
        finish: () => Promise.reject(new Error('nobody asks')),
      },
      { output: async () => {} },
      (path) => path,
    )
    const { number, done } = begin(name, args, command)
    const failure = await done
    commands.delete(number)
    if (failure !== null || exit !== 0) throw workerRefused(slave, name, failure ?? (words.trim() || `code ${exit}`))
    return files
  }

  return {
    slave,
    peer: deps.peerName,
    info,
    closed: deps.closed,
    flaw: null,
    lastHeard: deps.lastHeard,
    async ping() {
      await call('print', { message: 'ping' })
    },
    async setBuilders(list) {
      const there = new Set(await own('listdir', { path: info.basedir }))
      const missing = [...list.map(({ directory }) => directory), 'info'].filter((name) => !there.has(name))
      if (missing.length > 0)
        await own('mkdir', { paths: missing.map((name) => joinPath(info.style, info.basedir, name)) })
      directories.clear()
      for (const { name, directory } of list) directories.set(name, joinPath(info.style, info.basedir, directory))
    },
    async startBuild(builder) {
      if (!directories.has(builder))
        throw workerRefused(slave, 'startBuild', `it does not know the builder "${builder}".`)
    },
    start(builder, order, io, outcome) {
      const root = directories.get(builder)
      if (root === undefined) throw workerRefused(slave, 'startBuild', `it does not know the builder "${builder}".`)
      const { name, args } = workerCommand(order, root, info)
      const command = createStockCommand(outcome, io, (path) => relativeTo(root, path, info.style))
      const { number, done } = begin(name, args, command, builder)
      return {
        done,
        interrupt(reason) {
          call('interrupt_command', { command_id: number, why: reason, builder_name: builder }).catch(() => {}) // a lost link ends it too
        },
        [Symbol.dispose]: () => void commands.delete(number),
      }
    },
    async shutdown() {
      await call('shutdown')
    },
    close: deps.close,
    handle(message) {
      if (message.op === 'keepalive') return null
      const command = commands.get(textIn(message.command_id))
      if (command === undefined) throw new PeerError(`There is no command "${textIn(message.command_id)}" any more.`)
      return command.handle(message)
    },
  }
}

function infoOf(given: Packed): WorkerInfo {
  const info = isPackedMap(given) ? given : {}
  const text = (name: string) => textIn(info[name]).trim() || null
  const commands = isPackedMap(info.worker_commands) ? info.worker_commands : {}
  return {
    admin: text('admin'),
    host: text('host'),
    version: text('version'),
    basedir: text('basedir') ?? '',
    style: text('system') === 'nt' ? 'win32' : 'posix',
    commands: new Map(Object.entries(commands).map(([name, version]) => [name, textIn(version)])),
  }
}
