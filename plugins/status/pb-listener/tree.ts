import type { BuildId, Change, Host, RequestId } from 'boltbot/plugin-sdk'
import type { Referenceable, Value } from '../../../wire/pb/values.ts'
import type { Waiters } from './waiters.ts'

/** What the objects of one client are made with. */
export interface TreeContext {
  readonly host: Pick<Host, 'query' | 'clock'>
  /** Of the same client: objects give others. */
  readonly tree: Tree
  readonly waiters: Waiters
  readonly observers: Watching
}

/** Objects of the client that are told of one build, or of the builds of one request. */
export interface Watching {
  /** `seconds`: between two estimates of its end. */
  watchBuild(build: BuildRef, client: Value | undefined, seconds: number): void
  unwatchBuild(build: BuildRef, client: Value | undefined): void
  /** Tells of builds it has had, too. */
  watchRequest(request: RequestRef, client: Value | undefined): Promise<void>
  unwatchRequest(request: RequestRef, client: Value | undefined): void
}

/** The status tree as one client sees it: an object for each thing, the same one each time. */
export interface Tree {
  builder(name: string): Referenceable
  slave(name: string): Referenceable
  build(build: BuildRef): Referenceable
  step(step: StepRef): Referenceable
  log(log: LogRef): Referenceable
  change(change: Change): Referenceable
  request(request: RequestRef): Referenceable
  buildset(id: number): Referenceable
  /** Stands for the build of a request that was cancelled before there was one. */
  neverBuilt(request: RequestRef): Referenceable
}

export interface BuildRef {
  readonly id: BuildId
  readonly builder: string
  readonly number: number
}

export interface StepRef {
  readonly build: BuildRef
  readonly step: number
  readonly name: string
}

export interface LogRef extends StepRef {
  readonly log: string
}

export interface RequestRef {
  readonly id: RequestId
  readonly builder: string
}
