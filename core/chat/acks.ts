import { failureKind, type InterestingBuild, type Query } from 'boltbot/plugin-sdk'
import { readBranches, readBuild, readBuilds } from '../store/build-views.ts'
import { deletePluginState, getPluginState, setPluginState } from '../store/plugin-state.ts'
import type { Store } from '../store/store.ts'
import { isBad } from './find.ts'
import { redStreak, redStreaks } from './red-streak.ts'

/** Somebody looks after a red builder. */
export interface Ack {
  readonly who: string
  readonly at: number
  readonly text: string
}

/**
 * Who looks after which builder. An ack is of the streaks of failures that were there when it was said: what it covers follows from it
 * and the builds alone, so that a restart, or an event that comes twice, changes nothing.
 */
export interface Acks {
  /** `undefined`: nobody, or what they looked after is good again. */
  of(builder: string): Promise<Ack | undefined>
  /** `null`: nobody looks after it any more. */
  set(builder: string, ack: Ack | null): Promise<void>
  /** Whether a build that has ended only repeats what somebody looks after: not the first of a streak, and no new kind of failure. */
  covers(ended: Pick<InterestingBuild, 'build' | 'builder'>): Promise<boolean>
}

const OWNER = 'core/chat'

export function createAcks(store: Store): Acks {
  /** Asked for at the end of every red build. */
  const known = new Map<string, Ack | undefined>()
  const { db } = store
  const query: Pick<Query, 'branches' | 'builds'> = {
    branches: (builder) => readBranches(db, builder, {}),
    builds: (filter = {}) => readBuilds(db, filter),
  }

  async function stored(builder: string): Promise<Ack | undefined> {
    if (!known.has(builder))
      known.set(builder, (await getPluginState(store, OWNER, `ack/${builder}`)) as unknown as Ack | undefined) // stored below
    return known.get(builder)
  }

  return {
    async of(builder) {
      const ack = await stored(builder)
      if (ack === undefined) return undefined
      const streaks = await redStreaks(query, builder)
      return streaks.some((streak) => (streak.at(-1)?.finishedAt ?? 0) <= ack.at) ? ack : undefined
    },
    async set(builder, ack) {
      if (ack === null) await deletePluginState(store, OWNER, `ack/${builder}`)
      else await setPluginState(store, OWNER, `ack/${builder}`, { ...ack })
      known.set(builder, ack ?? undefined)
    },
    async covers({ build: id, builder }) {
      const ack = await stored(builder)
      if (ack === undefined || id === undefined) return false
      const build = await readBuild(db, id)
      if (build === undefined || !isBad(build.result)) return false
      const { finishedAt } = build
      if (finishedAt === null || finishedAt < ack.at) return false
      const before = await redStreak(query.builds, { builder, branch: build.sourceStamp.branch, before: id })
      const began = before.at(-1)?.finishedAt
      if (began === undefined || began === null || began > ack.at) return false
      return before.some((one) => failureKind(one) === failureKind(build))
    },
  }
}
