import type { BuildsetView, Host } from 'boltbot/plugin-sdk'
import { textOf } from '../../../wire/pb/plain.ts'
import { RaisedError } from '../../../wire/pb/remote-error.ts'
import { Referenceable, RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'
import type { PbSession } from '../../ports/pb/account.ts'
import { createTree } from './create-tree.ts'
import { numberOf, present } from './objects.ts'
import { createObservers, type Observers } from './observers.ts'
import type { StatusEvents } from './status-events.ts'
import { createSubscription, MODES, type Mode } from './subscription.ts'
import { createTelling } from './telling.ts'
import type { Tree } from './tree.ts'
import { buildEnd, buildsetEnd, createWaiters, stepEnd } from './waiters.ts'

/** One client that has logged in, and all it watches. Disposing it ends that. */
export interface StatusClient extends StatusEvents, Disposable {
  /** What it may call. */
  readonly perspective: Referenceable
}

/** Buildsets that are shown: all that wait or run, up to so many, and some that have finished, for those who come a little late. */
const MOST_RUNNING = 500
const MOST_FINISHED = 50

export function createStatusClient(host: Host, session: PbSession): StatusClient {
  const { query, log } = host
  const telling = createTelling(() => session.close('it does not answer what it is told'))
  const waiters = createWaiters()
  const observers: Observers = createObservers({ host, tree: () => tree, telling })
  const tree: Tree = createTree({ host, waiters, observers })
  const subscription = createSubscription({ host, tree, telling })

  const perspective = new Referenceable({
    subscribe([mode, interval, target]) {
      const wanted = textOf(mode) as Mode | undefined // looked at next
      if (wanted === undefined || !MODES.includes(wanted)) throw wrong(`The mode is none of ${MODES.join(', ')}.`)
      if (!(target instanceof RemoteReference)) throw wrong('There is nothing to tell it to.')
      log.info('status client subscribed', { peer: session.peer, mode: wanted })
      subscription.wish({ mode: wanted, interval: numberOf(interval), target })
      return null
    },
    unsubscribe() {
      subscription[Symbol.dispose]()
      return null
    },
    async getBuildSets() {
      const [running, finished] = await Promise.all([
        query.buildsets({ running: true, limit: MOST_RUNNING }),
        query.buildsets({ running: false, limit: MOST_FINISHED }),
      ])
      const pair = ({ id, externalId }: BuildsetView): Value => new Tuple([tree.buildset(id), externalId])
      return [...running, ...finished].toSorted((a, b) => a.id - b.id).map(pair)
    },
    getBuilderNames: async () => (await query.builders()).map(({ name }) => name),
    async getBuilder([name]) {
      const { name: known } = await present(`builder "${textOf(name)}"`, query.builder(textOf(name) ?? ''))
      return tree.builder(known)
    },
    async getSlave([given]) {
      const name = textOf(given)
      const known = (await query.slaves()).find((slave) => slave.name === name)
      return tree.slave((await present(`slave "${name}"`, Promise.resolve(known))).name)
    },
    ping: () => 'pong',
  })

  return {
    perspective,
    buildStarted(event) {
      observers.buildStarted(event)
      subscription.buildStarted(event)
    },
    stepStarted(event) {
      observers.stepStarted(event)
      subscription.stepStarted(event)
    },
    logAppended: (event) => subscription.logAppended(event),
    stepFinished(event) {
      waiters.end(stepEnd(event.build, event.step))
      observers.stepFinished(event)
      subscription.stepFinished(event)
    },
    buildFinished(event) {
      waiters.end(buildEnd(event.build))
      observers.buildFinished(event)
      subscription.buildFinished(event)
    },
    buildsetFinished: ({ buildset }) => waiters.end(buildsetEnd(buildset)),
    requestCancelled: (event) => observers.requestCancelled(event),
    buildersChanged: () => subscription.buildersChanged(),
    [Symbol.dispose]() {
      observers[Symbol.dispose]()
      subscription[Symbol.dispose]()
    },
  }
}

const wrong = (why: string) => new RaisedError('builtins.ValueError', why)
