import type {
  BuildFinished,
  BuildStarted,
  Clock,
  Eta,
  Host,
  Result,
  StepFinished,
  StepStarted,
} from 'boltbot/plugin-sdk'
import { numberOfResult } from '../../../wire/pb/results.ts'
import { Referenceable, type RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'

/** Builds of one connection's tries, as its client sees them: objects it calls, and what is told to it. */
export interface TryWatch {
  /** What the client gets for a buildset: it asks that for its requests, and those for their builds. */
  buildset(requests: readonly TriedRequest[]): Referenceable
  started(event: BuildStarted): void
  stepStarted(event: StepStarted): void
  stepFinished(event: StepFinished): void
  finished(event: BuildFinished): void
  cancelled(request: number): void
}

export interface TriedRequest {
  readonly id: number
  readonly builder: string
}

interface WatchedBuild {
  readonly builder: string
  readonly object: Referenceable
  readonly subscribers: Set<RemoteReference>
  readonly ended: PromiseWithResolvers<void>
  result: Result | null
  text: readonly string[]
  eta: number | null
}

/** Builds kept at most; a client that tries without end loses sight of its oldest. */
const MOST = 1000

export function createTryWatch(clock: Clock): TryWatch {
  const builds = new Map<number, WatchedBuild>()
  /** By request: its newest build, and who wants to hear of builds. */
  const newest = new Map<number, WatchedBuild>()
  const listeners = new Map<number, Set<RemoteReference>>()

  function watched(builder: string): WatchedBuild {
    const build: WatchedBuild = {
      builder,
      subscribers: new Set(),
      ended: Promise.withResolvers<void>(),
      result: null,
      text: [],
      eta: null,
      object: new Referenceable({
        subscribe([client]) {
          build.subscribers.add(client as RemoteReference) // what is no object of theirs is never called
          tellEta(build)
          return null
        },
        unsubscribe([client]) {
          build.subscribers.delete(client as RemoteReference) // as above
          return null
        },
        async waitUntilFinished() {
          await build.ended.promise
          return build.object
        },
        getResults: () => (build.result === null ? null : numberOfResult(build.result)),
        getText: () => [...build.text],
        getBuilderName: () => builder,
        isFinished: () => build.result !== null,
      }),
    }
    return build
  }

  function offer(request: number, build: WatchedBuild): void {
    newest.set(request, build)
    for (const client of listeners.get(request) ?? []) tell(client, 'newbuild', build.object, build.builder)
  }

  function tellAll(build: WatchedBuild | undefined, method: string, ...args: readonly Value[]): void {
    for (const client of build?.subscribers ?? []) tell(client, method, build!.builder, build!.object, ...args)
  }

  function tellEta(build: WatchedBuild, eta?: Eta): void {
    if (eta !== undefined) build.eta = eta.at
    if (build.eta !== null) tellAll(build, 'buildETAUpdate', Math.max(0, (build.eta - clock.now()) / 1000))
  }

  const requestObject = ({ id }: TriedRequest): Referenceable =>
    new Referenceable({
      subscribe([client]) {
        const reference = client as RemoteReference // as above
        listeners.set(id, (listeners.get(id) ?? new Set()).add(reference))
        const build = newest.get(id)
        if (build) tell(reference, 'newbuild', build.object, build.builder)
        return null
      },
      unsubscribe([client]) {
        listeners.get(id)?.delete(client as RemoteReference) // as above
        return null
      },
    })

  return {
    buildset(requests) {
      const pairs = requests.map((request) => new Tuple([request.builder, requestObject(request)]))
      return new Referenceable({ getBuildRequests: () => pairs })
    },
    started(event) {
      const build = watched(event.builder)
      builds.set(event.build, build)
      if (builds.size > MOST) builds.delete(builds.keys().next().value!)
      for (const request of event.requests) offer(request, build)
      tellEta(build, event.eta)
    },
    stepStarted(event) {
      const build = builds.get(event.build)
      tellAll(build, 'stepStarted', event.name, null)
      if (build) tellEta(build, event.eta)
    },
    stepFinished: (event) =>
      tellAll(builds.get(event.build), 'stepFinished', event.name, null, numberOfResult(event.result)),
    finished({ build: id, result, text }) {
      const build = builds.get(id)
      if (build === undefined) return
      build.result = result
      build.text = text
      // A build that is to be tried again is replaced by the next; a client told of its end would stop waiting.
      if (result !== 'retry') build.ended.resolve()
    },
    cancelled(request) {
      if (newest.get(request)?.result === null) return
      const build = watched('')
      build.result = 'cancelled'
      build.text = ['cancelled before it began']
      build.ended.resolve()
      offer(request, build)
    },
  }
}

function tell(client: RemoteReference, method: string, ...args: readonly Value[]): void {
  if (typeof client?.call === 'function') client.call(method, args).catch(() => {}) // it is theirs to listen
}

/** Tells watches what happens, for as long as they are open. */
export function followBuilds(host: Host, watches: ReadonlySet<TryWatch>): void {
  const each = (act: (watch: TryWatch) => void) => {
    for (const watch of watches) act(watch)
  }
  host.tap('buildStarted', (event) => each((watch) => watch.started(event)))
  host.tap('stepStarted', (event) => each((watch) => watch.stepStarted(event)))
  host.tap('stepFinished', (event) => each((watch) => watch.stepFinished(event)))
  host.tap('buildFinished', (event) => each((watch) => watch.finished(event)))
  host.tap('requestCancelled', (event) => each((watch) => watch.cancelled(event.request)))
}
