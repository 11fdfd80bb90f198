import type { Broker } from '../../../wire/pb/broker.ts'
import type { Referenceable, RemoteReference } from '../../../wire/pb/values.ts'

/** Users of one kind that may log in on a port: slaves, senders of changes, people who try patches. */
export interface Account {
  /** For the log: `slave`. */
  readonly kind: string
  /** The users there are, if it is a fixed list. No other account of the port may have the same. */
  readonly users?: readonly string[]
  /** `undefined`: the user is not of this kind. */
  password(user: string): string | undefined
  /** Somebody has logged in. Gives what they may call. @throws RaisedError to refuse them after all. */
  enter(session: PbSession): Promise<Referenceable>
}

/** A connection whose user has logged in. */
export interface PbSession {
  readonly user: string
  /** Address and port. */
  readonly peer: string
  readonly broker: Broker
  /** What the user lets us call. */
  readonly mind: RemoteReference | null
  /** Resolves once, with the reason in words. */
  readonly closed: Promise<string>
  /** Clock time of the last byte that came. */
  lastHeard(): number
  close(reason: string): void
}
