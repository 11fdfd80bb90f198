import {
  type BuildFinished,
  type BuildId,
  type BuildStarted,
  type Clock,
  type RequestId,
  verdict,
} from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../store/store.ts'
import { buildName, etaOf, pageOfBuild, span } from './describe.ts'

/** People who asked for a build, or watch one: told in the place they asked when it starts and when it has ended. */
export interface Followers {
  /** Until all these requests have ended. */
  follow(requests: readonly RequestId[], follower: Follower): void
  /** Until the build has ended. */
  watch(build: BuildId, follower: Follower): void
  /** Until it is disposed: what somebody cancels is not told to the same follower. */
  hush(who: string, follower: Listener): Disposable
  deliver(events: readonly StoredEvent[]): void
}

/** Somebody in a place. */
interface Listener {
  readonly speaker: { readonly name: string }
  /** Of the place; aborted: nobody listens any more. */
  readonly signal: AbortSignal
}

/** Who follows several things of one build is told once. */
export interface Follower extends Listener {
  reply(text: string): void
  /** See `Call`. */
  link(path: string): string
}

interface Followed extends Follower {
  readonly requests: Set<RequestId>
  build: BuildId | null
}

/** More are of no use to a person, and of harm to the master. The oldest goes first. */
const MOST = 2000

export function createFollowers(clock: Clock): Followers {
  const all = new Set<Followed>()
  const hushed = new Set<{ readonly who: string; readonly listener: Listener }>()

  const add = (followed: Followed) => {
    all.add(followed)
    followed.signal.addEventListener('abort', () => all.delete(followed), { once: true })
    const [oldest] = all
    if (all.size > MOST && oldest) all.delete(oldest)
  }
  const concerns = (followed: Followed, { build, requests }: BuildStarted | BuildFinished) =>
    followed.build === build || requests.some((request) => followed.requests.has(request))

  function started(event: BuildStarted): void {
    const tell = tellOnce()
    for (const followed of all) {
      if (followed.build !== null || !concerns(followed, event)) continue
      followed.build = event.build
      tell(
        followed,
        `build ${buildName(event)} has started on ${event.slave}${etaOf(event, clock.now())}${followed.link(pageOfBuild(event))}`,
      )
    }
  }

  function finished(event: BuildFinished): void {
    const tell = tellOnce()
    for (const followed of all) {
      if (!concerns(followed, event)) continue
      if (event.result === 'retry') {
        followed.build = null
        for (const request of event.requests) followed.requests.add(request)
        tell(followed, `build ${buildName(event)} was interrupted; it is built again`)
        continue
      }
      followed.build = null
      for (const request of event.requests) followed.requests.delete(request)
      if (followed.requests.size === 0) all.delete(followed)
      const took = span(event.at - event.startedAt)
      tell(
        followed,
        `build ${buildName(event)} has ended after ${took}: ${verdict(event)}${followed.link(pageOfBuild(event))}`,
      )
    }
  }

  function cancelled(request: RequestId, who: string, reason: string): void {
    for (const followed of all) {
      if (!followed.requests.delete(request)) continue
      if (followed.requests.size === 0) all.delete(followed)
      const isTheirs = [...hushed].some((one) => one.who === who && isSame(one.listener, followed))
      if (!isTheirs) followed.reply(`request #${request} was cancelled by ${who}: ${reason}`)
    }
  }

  return {
    follow: (requests, { speaker, signal, reply, link }) =>
      add({ requests: new Set(requests), build: null, speaker, signal, reply, link }),
    watch: (build, { speaker, signal, reply, link }) =>
      add({ requests: new Set(), build, speaker, signal, reply, link }),
    hush(who, listener) {
      const one = { who, listener }
      hushed.add(one)
      return { [Symbol.dispose]: () => void hushed.delete(one) }
    },
    deliver(events) {
      if (all.size === 0) return
      for (const { name, event } of events) {
        if (name === 'buildStarted') started(event)
        else if (name === 'buildFinished') finished(event)
        else if (name === 'requestCancelled') cancelled(event.request, event.who, event.reason)
      }
    },
  }
}

const isSame = (a: Listener, b: Listener) => a.signal === b.signal && a.speaker.name === b.speaker.name

/** Of one event: requests that were built as one are followed one by one. */
function tellOnce(): (follower: Follower, text: string) => void {
  const told: Listener[] = []
  return (follower, text) => {
    if (told.some((one) => isSame(one, follower))) return
    told.push(follower)
    follower.reply(text)
  }
}
