import { connect } from 'node:net'
import { createBroker } from '../../../wire/pb/broker.ts'
import { logIn } from '../../../wire/pb/login.ts'
import { Referenceable, RemoteReference, type Value } from '../../../wire/pb/values.ts'

/** A status client as Buildbot's: it notes what it is told. */
export interface PbStatusClient extends Disposable {
  readonly perspective: RemoteReference
  /** What it was told, without the objects: `buildStarted full`. */
  readonly told: readonly string[]
  /** The objects it was told of, by what came with them. */
  readonly objects: ReadonlyMap<string, RemoteReference>
  readonly target: Referenceable
  /** Gives names and values of a subtree by calling it. */
  ask(object: Value, ...methods: readonly string[]): Promise<Value[]>
}

const EVENTS = [
  ...['builderAdded', 'builderRemoved', 'builderChangedState', 'buildStarted', 'buildFinished', 'buildETAUpdate'],
  ...['stepStarted', 'stepFinished', 'stepETAUpdate', 'logStarted', 'logFinished', 'logChunk', 'newbuild'],
]

export async function connectStatusClient(port: number, user: string, password: string): Promise<PbStatusClient> {
  const socket = connect(port, '127.0.0.1')
  const told: string[] = []
  const objects = new Map<string, RemoteReference>()
  const broker = createBroker({
    role: 'client',
    send: (bytes) => void socket.write(bytes),
    broken: (reason) => socket.destroy(new Error(reason)),
    trouble: () => {},
  })
  socket.on('data', (bytes) => broker.receive(bytes as Buffer)) // no encoding was set
  socket.on('close', () => broker.lost(new Error('closed')))
  socket.on('error', () => {})
  const note = (event: string) => (args: readonly Value[]) => {
    const words = args.filter((arg) => !(arg instanceof RemoteReference))
    told.push([event, ...words.map(wordOf)].join(' '))
    for (const arg of args) if (arg instanceof RemoteReference) objects.set(`${event} ${objects.size}`, arg)
    return null
  }
  const target = new Referenceable(Object.fromEntries(EVENTS.map((event) => [event, note(event)])))
  try {
    const perspective = await logIn(broker, user, password)
    return {
      perspective,
      told,
      objects,
      target,
      async ask(object, ...methods) {
        if (!(object instanceof RemoteReference)) throw new Error(`${String(object)} is no object`)
        return Promise.all(methods.map((method) => object.call(method)))
      },
      [Symbol.dispose]: () => void socket.destroy(),
    }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

const wordOf = (value: Value): string => (typeof value === 'string' ? value : JSON.stringify(value))
