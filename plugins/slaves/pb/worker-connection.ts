import {
  type Clock,
  type Command,
  type CommandId,
  type CommandIo,
  type CommandResult,
  messageOf,
  type SlaveConnection,
} from 'boltbot/plugin-sdk'
import { RemoteError } from '../../../wire/pb/remote-error.ts'
import { RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { BadPath, ordersOf, type StockOrder } from '../stock-orders.ts'
import { createOutcome, type Offsets } from '../stock-outcome.ts'
import { joinPath, relativeTo } from '../stock-paths.ts'
import { linkLost, notResumable, workerRefused } from './errors.ts'
import { workerCommand } from './order-arguments.ts'
import { createCommandObject } from './worker-command.ts'
import { isMissing, type WorkerInfo } from './worker-info.ts'

export interface WorkerConnection extends SlaveConnection {
  /** The worker asks to be let go. */
  leave(reason: string): void
}

interface Running {
  interrupt(reason: string): void
}

/** A worker that does not end what it was asked to end is as good as gone. */
const INTERRUPT_MS = 60_000

/** A stock worker over Perspective Broker, as core sees it. It kills its commands when the link breaks. */
export function createWorkerConnection(
  session: PbSession,
  mind: RemoteReference,
  info: WorkerInfo,
  clock: Clock,
): WorkerConnection {
  const { user: slave, broker } = session
  const builders = new Map<string, { readonly remote: RemoteReference; readonly directory: string }>()
  const running = new Map<string, Running>()
  const leaving = Promise.withResolvers<string>()
  let lostBecause: string | undefined
  let commands = 0
  let warned = -1
  void session.closed.then((reason) => {
    lostBecause = reason
  })

  /** A call whose failures are those that core knows. */
  async function call(remote: RemoteReference, method: string, ...rest: [args?: Value[], keywords?: object]) {
    try {
      return await remote.call(method, rest[0], rest[1] as Readonly<Record<string, Value>> | undefined)
    } catch (error) {
      if (error instanceof RemoteError) throw workerRefused(slave, method, error.message)
      throw linkLost(slave, lostBecause ?? messageOf(error))
    }
  }

  function builderOf(name: string): { readonly remote: RemoteReference; readonly directory: string } {
    const builder = builders.get(name)
    if (builder === undefined) throw workerRefused(slave, 'startBuild', `it does not know the builder "${name}".`)
    return builder
  }

  async function runOrder(order: StockOrder, builder: string, io: CommandIo, offsets: Offsets, state: CommandState) {
    const { remote, directory } = builderOf(builder)
    const began = clock.now()
    const outcome = createOutcome(order, io, offsets)
    const root = joinPath(info.style, info.basedir, directory)
    const { object, completed } = createCommandObject(outcome, (path) => relativeTo(root, path, info.style))
    const { name, args, objects } = workerCommand(order, io, info)
    const number = `${++commands}`
    state.interrupt = (reason) => {
      outcome.interrupted()
      call(remote, 'interruptCommand', [number, reason]).catch(() => {}) // a lost link ends the command too
    }
    try {
      const started = call(remote, 'startCommand', [object, number, name, args])
      started.catch(() => {}) // looked at below
      const failure = await Promise.race([started.then(() => completed), lost()]).catch((error: unknown) => {
        if (lostBecause !== undefined || !isRefusal(error)) throw error
        return messageOf(error)
      })
      return await outcome.finish(failure, clock.now() - began)
    } finally {
      for (const mine of [object, ...objects]) broker.release(mine)
    }
  }

  /** Never resolves; rejects when the link is gone. */
  async function lost(): Promise<never> {
    throw linkLost(slave, await session.closed)
  }

  async function runAll(id: CommandId, builder: string, command: Command, io: CommandIo): Promise<CommandResult> {
    if (lostBecause !== undefined) throw linkLost(slave, lostBecause)
    const orders = ordersOrProblem(command, info.style)
    if (typeof orders === 'string') return { ...NOTHING, cause: 'error', error: orders }
    const offsets: Offsets = new Map()
    const state: CommandState = { interrupt: () => {}, interrupted: false }
    using _deadline = { [Symbol.dispose]: () => state.deadline?.[Symbol.dispose]() }
    running.set(keyOf(id), {
      interrupt(reason) {
        if (state.interrupted) return
        state.interrupted = true
        state.interrupt(reason)
        state.deadline = clock.timer(INTERRUPT_MS, () => session.close('it does not end a command it was asked to end'))
      },
    })
    try {
      await warnOnce(id, command, io, offsets)
      let result: CommandResult = { ...NOTHING, exitCode: 0 }
      for (const order of orders) {
        if (state.interrupted) return { ...NOTHING, cause: 'interrupted' }
        result = await runOrder(order, builder, io, offsets, state)
        if (result.cause !== 'exit') return result
      }
      return result
    } finally {
      running.delete(keyOf(id))
    }
  }

  /** Stock workers lose text of long lines; a build's log says so, once. */
  async function warnOnce(id: CommandId, command: Command, io: CommandIo, offsets: Offsets): Promise<void> {
    if (command.kind !== 'shell' || warned === id.build) return
    warned = id.build
    const text = Buffer.from(
      `Worker ${info.version ?? 'of unknown version'}: it cuts lines of more than 4095 characters.\n`,
    )
    offsets.set('stdio', text.length)
    await io.output('stdio', 'header', 0, text)
  }

  return {
    slave,
    peer: session.peer,
    info: { admin: info.admin, host: info.host, version: info.version, resumable: false },
    held: [],
    closed: session.closed,
    leaving: leaving.promise,
    leave: leaving.resolve,
    lastHeard: () => session.lastHeard(),
    async ping(signal) {
      signal.throwIfAborted()
      const aborted = Promise.withResolvers<never>()
      const abort = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', abort)
      const pong = call(mind, 'print', [], { message: 'ping' })
      pong.catch(() => {}) // the race may be over
      try {
        await Promise.race([pong, aborted.promise])
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    async setBuilders(list) {
      const pairs = list.map(({ name, directory }) => new Tuple([name, directory]))
      const remotes = await call(mind, 'setBuilderList', [pairs])
      const known = remotes instanceof Map ? remotes : new Map<Value, Value>()
      const previous = new Map(builders)
      builders.clear()
      for (const { name, directory } of list) {
        const remote = known.get(name)
        if (remote instanceof RemoteReference) builders.set(name, { remote, directory })
      }
      for (const [name, { remote }] of previous) if (!builders.has(name)) broker.drop(remote)
      const missing = list.find(({ name }) => !builders.has(name))
      if (missing) throw workerRefused(slave, 'setBuilderList', `it gave nothing for the builder "${missing.name}".`)
    },
    async startBuild(builder) {
      await call(builderOf(builder).remote, 'startBuild')
    },
    run: runAll,
    async resume() {
      throw notResumable(slave)
    },
    forget(id) {
      running.get(keyOf(id))?.interrupt('its result is not wanted any more')
    },
    interrupt(id, reason) {
      running.get(keyOf(id))?.interrupt(reason)
    },
    async shutdown() {
      try {
        await shutDown(mind, [...builders.values()][0]?.remote)
        await session.closed
      } catch (error) {
        if (error instanceof RemoteError) throw workerRefused(slave, 'shutdown', error.message)
        // A link lost in answer is what was asked for.
      }
    },
    close: (reason) => session.close(reason),
  }
}

interface CommandState {
  interrupt(reason: string): void
  interrupted: boolean
  deadline?: Disposable
}

const NOTHING: CommandResult = { exitCode: null, signal: null, cause: 'exit', error: null, elapsed: 0, data: null }

const keyOf = (id: CommandId) => `${id.build}.${id.epoch}.${id.step}.${id.index}`

const isRefusal = (error: unknown) => (error as { readonly code?: string }).code === 'BOLT_WORKERS_REFUSED'

function ordersOrProblem(command: Command, style: WorkerInfo['style']): readonly StockOrder[] | string {
  try {
    return ordersOf(command, style)
  } catch (error) {
    if (error instanceof BadPath) return error.message
    throw error
  }
}

/** Very old slaves exit when a builder is told to. */
async function shutDown(mind: RemoteReference, builder: RemoteReference | undefined): Promise<void> {
  try {
    await mind.call('shutdown')
  } catch (error) {
    if (!(error instanceof RemoteError && isMissing(error)) || builder === undefined) throw error
    await builder.call('shutdown')
  }
}
