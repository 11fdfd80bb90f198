import type { LockUser, LockView } from 'boltbot/plugin-sdk'

/**
 * Stage 7 of the walk: locks. A *scope* is a master lock, or a slave lock on one slave. A *claim* is a set of scopes with a mode
 * each; it is granted whole or waits whole. Fair: a claim is never passed by a later one that would take what it waits for.
 * `counting` holders share a scope up to its capacity, an `exclusive` one is alone.
 */
export interface LockScope {
  /** `database`, or `cpu@bot-1` for a slave lock. */
  readonly name: string
  readonly capacity: number
}

export interface LockNeed {
  readonly scope: LockScope
  readonly mode: 'counting' | 'exclusive'
}

/** What was granted; disposing gives it back. */
export interface Hold extends Disposable {
  /** Says better who holds it: a build that has its number now. */
  rename(holder: Holder): void
}

/** Who wants or holds, for people; with the build once there is one. */
export type Holder = string | { readonly label: string; readonly build: number }

export interface Locks {
  /**
   * Grants now, or gives the reason and keeps a place in the row under `ticket`: ask again with the same ticket after
   * `onReleased`, or `giveUp`.
   */
  tryTake(ticket: string, holder: Holder, needs: readonly LockNeed[]): Hold | { readonly blockedBy: string }
  /** Why `tryTake` would not grant; `undefined`: it would. Keeps no place. */
  blocked(ticket: string, needs: readonly LockNeed[]): string | undefined
  /** Forgets the place of a ticket; those behind it move up. */
  giveUp(ticket: string): void
  /** Waits for the grant. @throws the signal's reason when it aborts first. `waiting` is told what it waits for, once it waits. */
  take(
    ticket: string,
    holder: Holder,
    needs: readonly LockNeed[],
    signal: AbortSignal,
    waiting?: (blockedBy: string) => void,
  ): Promise<Hold>
  /** Holds what a build of a process before holds, whoever else would like to. */
  restore(holder: Holder, needs: readonly LockNeed[]): Hold
  holders(): readonly {
    readonly scope: string
    readonly capacity: number
    readonly holder: string
    readonly build: number | null
    readonly mode: LockNeed['mode']
  }[]
  /** In order of arrival. */
  waiting(): readonly {
    readonly ticket: string
    readonly holder: string
    readonly build: number | null
    readonly scopes: readonly string[]
    readonly needs: readonly LockNeed[]
  }[]
}

interface Claim {
  readonly ticket: string
  holder: Holder
  readonly needs: readonly LockNeed[]
  readonly grant: ((hold: Hold) => void) | undefined
}

/** @param onReleased called after something was released or given up and waiting steps were served: builds may try again. */
export function createLocks(onReleased: () => void): Locks {
  const held = new Set<Claim>()
  /** In order of arrival. */
  const queue = new Map<string, Claim>()

  /** Why a claim cannot be granted: the holder, or the earlier waiter, in its way. */
  function blocker(claim: Claim): string | undefined {
    for (const need of claim.needs) {
      const name = need.scope.name
      const using = usersOf(held, name)
      if (!fits(need, using)) {
        const who = using.map((user) => user.holder).join(', ')
        return `lock ${name} held by ${who}`
      }
      // A row may be long: whoever is behind needs to look at its first ones only.
      let first: string | undefined
      for (const other of earlier(claim)) {
        const ahead = usersOf([other], name)
        if (ahead.length === 0) continue
        first ??= ahead[0]!.holder
        using.push(...ahead)
        if (!fits(need, using)) return `lock ${name} wanted before by ${first}`
      }
    }
    return undefined
  }

  function* earlier(claim: Claim): Iterable<Claim> {
    for (const other of queue.values()) {
      if (other.ticket === claim.ticket) return
      yield other
    }
  }

  function hold(claim: Claim): Hold {
    queue.delete(claim.ticket)
    held.add(claim)
    return {
      rename(holder) {
        claim.holder = holder
      },
      [Symbol.dispose]() {
        if (held.delete(claim)) moveUp()
      },
    }
  }

  /** Grants what can be granted to those who wait with a promise; builds ask again by themselves. */
  function serve(): void {
    for (const claim of [...queue.values()]) {
      if (claim.grant !== undefined && blocker(claim) === undefined) claim.grant(hold(claim))
    }
  }

  function moveUp(): void {
    serve()
    onReleased()
  }

  return {
    tryTake(ticket, holder, needs) {
      const claim: Claim = { ticket, holder, needs, grant: undefined }
      const before = queue.get(ticket)
      const blockedBy = blocker(claim)
      const answer = blockedBy === undefined ? hold(claim) : { blockedBy }
      if (blockedBy !== undefined) queue.set(ticket, claim) // Map.set keeps the place of a ticket that waits already
      // What it wanted before, on another slave, may be had by those behind it.
      if (before !== undefined && !sameScopes(before.needs, needs)) moveUp()
      return answer
    },
    blocked: (ticket, needs) => blocker({ ticket, holder: '', needs, grant: undefined }),
    giveUp(ticket) {
      if (queue.delete(ticket)) moveUp()
    },
    take(ticket, holder, needs, signal, waiting) {
      const { promise, resolve, reject } = Promise.withResolvers<Hold>()
      const abort = () => {
        reject(signal.reason)
        if (queue.delete(ticket)) moveUp()
      }
      const claim: Claim = {
        ticket,
        holder,
        needs,
        grant(granted) {
          signal.removeEventListener('abort', abort)
          resolve(granted)
        },
      }
      if (signal.aborted) return Promise.reject(signal.reason)
      const blockedBy = blocker(claim)
      if (blockedBy === undefined) return Promise.resolve(hold(claim))
      queue.set(ticket, claim)
      signal.addEventListener('abort', abort, { once: true })
      waiting?.(blockedBy)
      return promise
    },
    restore: (holder, needs) => hold({ ticket: `restored ${labelOf(holder)}`, holder, needs, grant: undefined }),
    holders() {
      return [...held].flatMap(({ holder, needs }) =>
        needs.map(({ scope: { name, capacity }, mode }) => ({
          scope: name,
          capacity,
          holder: labelOf(holder),
          build: buildOf(holder),
          mode,
        })),
      )
    },
    waiting() {
      return [...queue.values()].map(({ ticket, holder, needs }) => ({
        ticket,
        holder: labelOf(holder),
        build: buildOf(holder),
        scopes: needs.map((need) => need.scope.name),
        needs,
      }))
    },
  }
}

const labelOf = (holder: Holder) => (typeof holder === 'string' ? holder : holder.label)
const buildOf = (holder: Holder) => (typeof holder === 'string' ? null : holder.build)

/** Each lock with its holders and its row, for people. */
export function locksInUse(locks: Pick<Locks, 'holders' | 'waiting'>): readonly LockView[] {
  const views = new Map<string, { name: string; capacity: number; holders: LockUser[]; waiting: LockUser[] }>()
  const at = (name: string, capacity: number) =>
    views.getOrInsertComputed(name, () => ({ name, capacity, holders: [], waiting: [] }))
  for (const { scope, capacity, holder: who, mode, build } of locks.holders())
    at(scope, capacity).holders.push({ who, mode, build })
  for (const { holder: who, build, needs } of locks.waiting())
    for (const { scope, mode } of needs) at(scope.name, scope.capacity).waiting.push({ who, mode, build })
  return [...views.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

interface User {
  readonly holder: string
  readonly mode: LockNeed['mode']
}

function usersOf(claims: Iterable<Claim>, scope: string): User[] {
  const users: User[] = []
  for (const { holder, needs } of claims) {
    for (const need of needs) if (need.scope.name === scope) users.push({ holder: labelOf(holder), mode: need.mode })
  }
  return users
}

function sameScopes(a: readonly LockNeed[], b: readonly LockNeed[]): boolean {
  const key = ({ scope, mode }: LockNeed) => `${scope.name} ${mode}`
  return a.length === b.length && a.every((need, index) => key(need) === key(b[index]!))
}

function fits(need: LockNeed, users: readonly User[]): boolean {
  if (users.length === 0) return true
  if (need.mode === 'exclusive' || users.some((user) => user.mode === 'exclusive')) return false
  return users.length < need.scope.capacity
}
