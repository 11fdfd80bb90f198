import type { Host } from 'boltbot/plugin-sdk'
import type { Value } from '../../../wire/pb/values.ts'
import { every, intervalMs } from './every.ts'
import { resultNumber } from './objects.ts'
import type { StatusEvents } from './status-events.ts'
import type { Telling } from './telling.ts'
import type { BuildRef, Tree, Watching } from './tree.ts'

/** Tells those who watch. */
export interface Observers
  extends Watching,
    Pick<StatusEvents, 'buildStarted' | 'stepStarted' | 'stepFinished' | 'buildFinished' | 'requestCancelled'>,
    Disposable {}

export interface ObserversDeps {
  readonly host: Pick<Host, 'query' | 'clock'>
  readonly tree: () => Tree
  readonly telling: Telling
}

/** By thing: who watches it, and what ends with that. */
type Watches = Map<number, Map<Value, Disposable | undefined>>

/** Watches of one client. */
const MOST = 5000

export function createObservers({ host, tree, telling }: ObserversDeps): Observers {
  const { query, clock } = host
  const builds: Watches = new Map()
  const requests: Watches = new Map()

  function watch(watches: Watches, id: number, client: Value, ends?: Disposable): void {
    unwatch(watches, id, client)
    const ofThis = watches.get(id) ?? new Map<Value, Disposable | undefined>()
    watches.set(id, ofThis.set(client, ends))
    if (watches.size > MOST) drop(watches, watches.keys().next().value!)
  }

  function unwatch(watches: Watches, id: number, client: Value | undefined): void {
    const ofThis = watches.get(id)
    if (client === undefined || !ofThis?.has(client)) return
    ofThis.get(client)?.[Symbol.dispose]()
    ofThis.delete(client)
    if (ofThis.size === 0) watches.delete(id)
  }

  function drop(watches: Watches, id: number): void {
    for (const ends of watches.get(id)?.values() ?? []) ends?.[Symbol.dispose]()
    watches.delete(id)
  }

  function tellAll(build: BuildRef, method: string, ...args: readonly Value[]): void {
    for (const client of builds.get(build.id)?.keys() ?? [])
      void telling.tell(client, method, build.builder, tree().build(build), ...args)
  }

  async function estimate(build: BuildRef, client: Value): Promise<void> {
    const eta = (await query.build(build.id))?.eta
    if (eta === undefined) return
    const left = Math.max(0, (eta.at - clock.now()) / 1000)
    await telling.tell(client, 'buildETAUpdate', build.builder, tree().build(build), left)
  }

  return {
    watchBuild(build, client, seconds) {
      if (client === undefined) return
      const interval = intervalMs(seconds)
      const estimates = interval === undefined ? undefined : every(clock, interval, () => estimate(build, client))
      watch(builds, build.id, client, estimates)
    },
    unwatchBuild: ({ id }, client) => unwatch(builds, id, client),
    async watchRequest({ id, builder }, client) {
      if (client === undefined) return
      watch(requests, id, client)
      const request = await query.request(id)
      if (request === undefined || !requests.get(id)?.has(client)) return
      const { build, buildNumber, state } = request
      if (build !== null && buildNumber !== null)
        void telling.tell(client, 'newbuild', tree().build({ id: build, builder, number: buildNumber }), builder)
      else if (state === 'finished') void telling.tell(client, 'newbuild', tree().neverBuilt({ id, builder }), builder)
    },
    unwatchRequest: ({ id }, client) => unwatch(requests, id, client),

    buildStarted({ build: id, builder, number, requests: started }) {
      const object = tree().build({ id, builder, number })
      for (const request of started)
        for (const client of requests.get(request)?.keys() ?? []) void telling.tell(client, 'newbuild', object, builder)
    },
    stepStarted({ build: id, builder, number, name }) {
      tellAll({ id, builder, number }, 'stepStarted', name, null)
    },
    stepFinished({ build: id, builder, number, name, result }) {
      tellAll({ id, builder, number }, 'stepFinished', name, null, resultNumber(result))
    },
    buildFinished: ({ build }) => drop(builds, build),
    requestCancelled({ request: id, builder }) {
      for (const client of requests.get(id)?.keys() ?? [])
        void telling.tell(client, 'newbuild', tree().neverBuilt({ id, builder }), builder)
    },
    [Symbol.dispose]() {
      for (const id of builds.keys()) drop(builds, id)
      requests.clear()
    },
  }
}
