import type { LockNeed } from '../locks.ts'

/**
 * Who waits for whom among running builds, pure: which of them can never end. A build that waits for nothing ends some day; so does one
 * whose lock or triggered builds are to be had from builds that end some day. What is left waits for itself.
 */
export interface WaitGraph {
  readonly builds: readonly WaitingBuild[]
  /** Who holds a lock scope. */
  users(scope: string): readonly { readonly build: number | null; readonly mode: LockNeed['mode'] }[]
}

export interface WaitingBuild {
  readonly id: number
  /** `full #12`. */
  readonly label: string
  /** A running step waits for locks. */
  readonly locks: readonly LockNeed[]
  /** Requests that a step triggered and waits for. */
  readonly requests: readonly AwaitedRequest[]
}

export interface AwaitedRequest {
  readonly id: number
  readonly builder: string
  /** The build that runs it; `null`: it waits. */
  readonly build: number | null
  /** Where it may run. */
  readonly places: readonly Place[]
}

export interface Place {
  readonly slave: string
  /** Builds that keep it from starting there, any of which would make room; `null`: it is free, or may come to be so by itself. */
  readonly takenBy: readonly number[] | null
  /** Locks of builder and slave. */
  readonly locks: readonly LockNeed[]
}

/** Builds that wait for ever, each with what it waits for, as a sentence; the youngest last. */
export function findDeadlocked({ builds, users }: WaitGraph): readonly { readonly id: number; readonly why: string }[] {
  const byId = new Map(builds.map((build) => [build.id, build]))
  const ending = new Set(
    builds.filter(({ locks, requests }) => locks.length + requests.length === 0).map(({ id }) => id),
  )
  // A build that nobody knows is about to end, or of another master.
  const ends = (id: number | null) => id === null || !byId.has(id) || ending.has(id)
  const grantable = (need: LockNeed): boolean => {
    const holders = users(need.scope.name)
    const isShared = need.mode === 'counting' && holders.every(({ mode }) => mode === 'counting')
    if (isShared) return holders.length < need.scope.capacity || holders.some(({ build }) => ends(build))
    return holders.every(({ build }) => ends(build))
  }
  const startable = ({ takenBy, locks }: Place) => (takenBy === null || takenBy.some(ends)) && locks.every(grantable)
  const ended = ({ build, places }: AwaitedRequest) => (build === null ? places.some(startable) : ends(build))

  for (let grew = true; grew; ) {
    grew = false
    for (const { id, locks, requests } of builds) {
      if (ending.has(id) || !locks.every(grantable) || !requests.every(ended)) continue
      ending.add(id)
      grew = true
    }
  }

  const labels = (ids: readonly (number | null)[]) =>
    [...new Set(ids.filter((id) => !ends(id)).map((id) => byId.get(id!)!.label))].join(', ')
  const lockWhy = (needs: readonly LockNeed[]): string => {
    const scope = needs.find((need) => !grantable(need))!.scope.name
    return `lock ${scope}, held by ${labels(users(scope).map(({ build }) => build))}`
  }
  const placeWhy = ({ slave, takenBy, locks }: Place): string =>
    takenBy !== null && !takenBy.some(ends) ? `slave ${slave}, busy with ${labels(takenBy)}` : lockWhy(locks)
  const whyOf = ({ label, locks, requests }: WaitingBuild): string => {
    if (!locks.every(grantable)) return `${label} waits for ${lockWhy(locks)}`
    const { id, builder, build, places } = requests.find((request) => !ended(request))!
    if (build !== null) return `${label} waits for ${byId.get(build)!.label}, which it triggered`
    const missing = [...new Set(places.map(placeWhy))].join(', or for ')
    return `${label} waits for request ${id} of ${builder}, which waits for ${missing || 'a slave'}`
  }
  return builds
    .filter(({ id }) => !ending.has(id))
    .toSorted((a, b) => a.id - b.id)
    .map((build) => ({ id: build.id, why: whyOf(build) }))
}
