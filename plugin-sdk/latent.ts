import type { Json } from './json.ts'
import type { RequestId } from './model.ts'

/**
 * Names one instance for good. It carries the request it was first started for and the epoch of its slave, so that a master that
 * does not know whether its order arrived (a crash, a time-out) can look it up before it gives it again.
 */
export interface InstanceKey {
  /** The master that asked for it: engines may be shared. */
  readonly master: string
  readonly slave: string
  readonly request: RequestId
  /** Grows with every instance of the slave. */
  readonly epoch: number
}

/** The machine that is wanted of an engine. */
export interface InstanceSpec {
  readonly slave: string
  /** What its agent logs in with; good for this instance only. */
  readonly password: string
  /** As the config says: `latent.settings`. */
  readonly settings: Readonly<Record<string, Json>>
}

/**
 * Starts and ends instances: what a plugin gives to `host.slaves.registerEngine`. An instance runs an agent that logs in, over any
 * transport, with the name and password of its spec.
 *
 * Core calls it for one slave one after the other. `submit` is called once per key; after a failure or a restart `find` tells what
 * came of it.
 */
export interface LatentEngine {
  /** Orders an instance; resolves when the order is taken, long before the agent is there. */
  submit(spec: InstanceSpec, key: InstanceKey): Promise<void>
  /** True when the instance is there, or on its way. A throw means: not known now. Awaited. */
  find(key: InstanceKey): Promise<boolean>
  /** Ends an instance; resolves when it is gone. One that is not there is gone. */
  cancel(key: InstanceKey): Promise<void>
  /** All instances it has, also those of masters before: what nobody wants any more is cancelled. Awaited. */
  list(): Promise<readonly InstanceKey[]>
  /** Tells of instances that end by themselves. Disposing ends that. */
  observe(gone: (key: InstanceKey, reason: string) => void): Disposable
}
