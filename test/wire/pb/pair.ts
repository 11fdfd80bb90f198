import assert from 'node:assert/strict'
import { type Broker, type BrokerDeps, createBroker } from '../../../wire/pb/broker.ts'
import type { Referenceable } from '../../../wire/pb/values.ts'

export interface Pair {
  readonly server: Broker
  readonly client: Broker
  /** Why an end gave up on the other. */
  readonly broken: string[]
  readonly troubles: unknown[]
  readonly congested: boolean[]
}

/** Two ends that hear each other in later turns, as over a socket. */
export function connectPair(root: Referenceable, deps: Partial<BrokerDeps> = {}): Pair {
  const broken: string[] = []
  const troubles: unknown[] = []
  const congested: boolean[] = []
  const end = (role: BrokerDeps['role'], other: () => Broker): Broker =>
    createBroker({
      role,
      root,
      send: (bytes) => void queueMicrotask(() => other().receive(bytes)),
      broken: (reason) => broken.push(`${role}: ${reason}`),
      trouble: (_, error) => troubles.push(error),
      congested: (much) => congested.push(much),
      ...deps,
    })
  const server: Broker = end('server', () => client)
  const client: Broker = end('client', () => server)
  assert.ok(client)
  return { server, client, broken, troubles, congested }
}
