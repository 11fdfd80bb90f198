import {
  type BuildFinished,
  type BuildId,
  type BuildStarted,
  type BuildView,
  type Clock,
  type Log,
  type Query,
  type RequestCancelled,
  type RequestId,
  verdict,
} from 'boltbot/plugin-sdk'
import {
  addFollowers,
  type FollowedRequest,
  type Follower,
  followersIn,
  followersOf,
  followersTold,
  forgetFollowers,
  isAnythingFollowed,
} from '../store/followers.ts'
import type { Store, StoredEvent } from '../store/store.ts'
import { buildName, etaOf, pageOfBuild, span } from './describe.ts'

/**
 * People who asked for a build, or watch one: told in the place they asked when it starts and when it has ended. They are stored; what was
 * not told, as the master was gone or the place closed, is told when the place is open again.
 */
export interface Followers {
  /** Until each of these requests has ended. Gives how they were in the moment from which on it is told. */
  follow(listener: Listener, requests: readonly RequestId[]): Promise<readonly FollowedRequest[]>
  /** Until it is disposed: what somebody cancels is not told to the same follower. */
  hush(who: string, listener: Listener): Disposable
  /** A place is open: what its people have missed is told. */
  opened(place: string): void
  deliver(events: readonly StoredEvent[]): void
}

/** Somebody in a place. */
export interface Listener {
  readonly speaker: { readonly name: string }
  readonly place: { readonly id: string }
}

export interface FollowersDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly query: Pick<Query, 'request' | 'build'>
  /** Says a line, with the address of a page, to somebody in a place. False: the place is not open, or was closed before it was said. */
  readonly say: (to: Pick<Follower, 'place' | 'name'>, text: string, page: string | null) => Promise<boolean>
}

/** A line, and what is stored once it was said. */
interface Telling {
  /** What it tells: once to each follower. */
  readonly key: string
  readonly text: string
  readonly page: string | null
  readonly said: (followers: readonly Follower[]) => Promise<void>
}

export function createFollowers({ store, clock, log, query, say }: FollowersDeps): Followers {
  const { db } = store
  const hushed = new Set<{ readonly who: string; readonly listener: Listener }>()
  /** What is being said: follower and key. */
  const inHand = new Set<string>()
  let steps: Promise<unknown> = Promise.resolve()
  /** False: nobody is stored, so that builds need not ask. */
  let some = true
  let adding = 0
  let added = 0

  /** One after the other, so that nothing is told twice. */
  function enqueue(step: () => Promise<unknown>): void {
    steps = steps.then(step).catch((error: unknown) => log.error('followers not told', { error }))
  }

  async function lookForSome(): Promise<void> {
    if (adding > 0) return
    const before = added
    const found = await isAnythingFollowed(db)
    if (before === added) some = found
  }

  /** Nobody waits for it: a network may be down for long. Who follows several requests of one build is told once. */
  function tell(followers: readonly Follower[], { key, text, page, said }: Telling): void {
    const fresh = followers.filter(({ id }) => !inHand.has(`${id} ${key}`))
    for (const { id } of fresh) inHand.add(`${id} ${key}`)
    for (const same of Map.groupBy(fresh, ({ place, name }) => `${place} ${name}`).values()) {
      const told = async () => {
        if (await say(same[0]!, text, page)) await said(same)
      }
      const free = async () => {
        for (const { id } of same) inHand.delete(`${id} ${key}`)
      }
      told()
        .catch((error: unknown) => log.error('a follower not told', { to: same[0]!.name, error }))
        .finally(() => enqueue(free))
    }
  }

  const forget = (followers: readonly Follower[]) => forgetFollowers(store, followers)
  const started = (build: BuildStarted | BuildView, id: BuildId): Telling => ({
    key: `started ${id}`,
    text: `build ${buildName(build)} has started on ${build.slave}${etaOf(build, clock.now())}`,
    page: pageOfBuild(build),
    said: (followers) => followersTold(store, followers, id),
  })
  const ended = (build: BuildFinished | BuildView, at: number): Telling => ({
    key: 'ended',
    text: `build ${buildName(build)} has ended after ${span(at - build.startedAt)}: ${verdict(build)}`,
    page: pageOfBuild(build),
    said: forget,
  })
  const again = (build: BuildFinished | BuildView, id: BuildId): Telling => ({
    key: `again ${id}`,
    text: `build ${buildName(build)} was interrupted; it is built again`,
    page: null,
    said: (followers) => followersTold(store, followers, null),
  })

  async function onStarted(event: BuildStarted): Promise<void> {
    const all = await followersOf(db, event.requests)
    tell(
      all.filter(({ toldBuild }) => toldBuild !== event.build),
      started(event, event.build),
    )
  }

  async function onFinished(event: BuildFinished): Promise<void> {
    const all = await followersOf(db, event.requests)
    if (event.result !== 'retry') return tell(all, ended(event, event.at))
    tell(
      all.filter(({ toldBuild }) => toldBuild === event.build),
      again(event, event.build),
    )
  }

  async function onCancelled({ request, who, reason }: RequestCancelled, quiet: readonly Listener[]): Promise<void> {
    const all = await followersOf(db, [request])
    const isQuiet = ({ place, name }: Follower) =>
      quiet.some((one) => one.place.id === place && one.speaker.name === name)
    const text = `request #${request} was cancelled by ${who}: ${reason}`
    tell(
      all.filter((one) => !isQuiet(one)),
      { key: 'ended', text, page: null, said: forget },
    )
    const theirs = all.filter(isQuiet)
    if (theirs.length > 0) await forget(theirs)
  }

  /** What somebody should know by now and does not. */
  async function missedBy({ request: id, toldBuild }: Follower): Promise<Telling | undefined> {
    const request = await query.request(id)
    if (request === undefined) return undefined
    if (request.state === 'waiting') {
      const before = toldBuild === null ? undefined : await query.build(toldBuild)
      return before && again(before, before.id)
    }
    const build = request.build === null ? undefined : await query.build(request.build)
    if (request.state === 'claimed')
      return build === undefined || build.id === toldBuild ? undefined : started(build, build.id)
    if (build === undefined || build.finishedAt === null || build.result === 'retry')
      return { key: 'ended', text: `request #${id} was cancelled`, page: null, said: forget }
    return ended(build, build.finishedAt)
  }

  async function catchUp(place: string): Promise<void> {
    const missed = new Map<string, { readonly telling: Telling; readonly followers: Follower[] }>()
    for (const follower of await followersIn(store, place)) {
      const telling = await missedBy(follower)
      if (telling) missed.getOrInsert(telling.text, { telling, followers: [] }).followers.push(follower)
    }
    for (const { telling, followers } of missed.values()) tell(followers, telling)
  }

  return {
    async follow({ place, speaker }, requests) {
      adding++
      added++
      some = true
      try {
        return await addFollowers(store, { place: place.id, name: speaker.name }, requests)
      } finally {
        adding--
      }
    },
    hush(who, listener) {
      const one = { who, listener }
      hushed.add(one)
      return { [Symbol.dispose]: () => void hushed.delete(one) }
    },
    opened(place) {
      if (some) enqueue(() => catchUp(place))
    },
    deliver(events) {
      if (!some) return
      for (const { name, event } of events) {
        if (name === 'buildStarted') enqueue(() => onStarted(event))
        else if (name === 'buildFinished') enqueue(() => onFinished(event))
        else if (name === 'requestCancelled') {
          const quiet = [...hushed].filter(({ who }) => who === event.who).map(({ listener }) => listener)
          enqueue(() => onCancelled(event, quiet))
        }
      }
      enqueue(lookForSome)
    },
  }
}
