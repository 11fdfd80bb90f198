import { messageOf } from 'boltbot/plugin-sdk'
import { RemoteError } from '../../../wire/pb/remote-error.ts'
import { RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { linkLost, workerRefused } from '../errors.ts'
import type { StockLink, WorkerInfo } from '../stock-link.ts'
import { joinPath, relativeTo } from '../stock-paths.ts'
import { workerCommand } from './order-arguments.ts'
import { createCommandObject } from './worker-command.ts'
import { isMissing } from './worker-info.ts'

/** A stock worker over Perspective Broker. */
export function createWorkerLink(session: PbSession, mind: RemoteReference, info: WorkerInfo): StockLink {
  const { user: slave, broker } = session
  const builders = new Map<string, { readonly remote: RemoteReference; readonly directory: string }>()
  let lostBecause: string | undefined
  let commands = 0
  void session.closed.then((reason) => {
    lostBecause = reason
  })

  /** A call whose failures are those that core knows. */
  async function call(
    remote: RemoteReference,
    method: string,
    args: readonly Value[] = [],
    keywords: Readonly<Record<string, Value>> = {},
  ): Promise<Value> {
    try {
      return await remote.call(method, args, keywords)
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

  /** Never resolves; rejects when the link is gone. */
  async function lost(): Promise<never> {
    throw linkLost(slave, await session.closed)
  }

  return {
    slave,
    peer: session.peer,
    info,
    closed: session.closed,
    flaw: 'it cuts lines of more than 4095 characters',
    lastHeard: () => session.lastHeard(),
    async ping() {
      await call(mind, 'print', [], { message: 'ping' })
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
    start(builder, order, io, outcome) {
      const { remote, directory } = builderOf(builder)
      const root = joinPath(info.style, info.basedir, directory)
      const { object, completed } = createCommandObject(outcome, (path) => relativeTo(root, path, info.style))
      const { name, args, objects } = workerCommand(order, io, info)
      const number = `${++commands}`
      const refused = (error: unknown) => {
        if (isRefusal(error)) return messageOf(error)
        throw error
      }
      const started = call(remote, 'startCommand', [object, number, name, args]).then(() => completed, refused)
      started.catch(() => {}) // the race may be over
      return {
        done: Promise.race([started, lost()]),
        interrupt(reason) {
          call(remote, 'interruptCommand', [number, reason]).catch(() => {}) // a lost link ends the command too
        },
        [Symbol.dispose]() {
          for (const mine of [object, ...objects]) broker.release(mine)
        },
      }
    },
    async shutdown() {
      try {
        await mind.call('shutdown')
      } catch (error) {
        const builder = [...builders.values()][0]?.remote
        if (!(error instanceof RemoteError)) throw linkLost(slave, lostBecause ?? messageOf(error))
        if (!isMissing(error) || builder === undefined) throw workerRefused(slave, 'shutdown', error.message)
        await call(builder, 'shutdown') // very old slaves exit when a builder is told to
      }
    },
    close: (reason) => session.close(reason),
  }
}

const isRefusal = (error: unknown) => (error as { readonly code?: string }).code === 'BOLT_WORKERS_REFUSED'
