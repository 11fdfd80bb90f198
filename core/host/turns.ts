import { setImmediate as nextTurn } from 'node:timers/promises'

/** The mailboxes of all plugins take turns here: one letter each, in the order in which they came, and never in the turn of whoever posts. */
export interface Turns {
  /** Has it asked for its next letter soon. It comes again by itself while it says that it has more. */
  join(member: TurnMember): void
}

export interface TurnMember {
  /** Delivers one letter. True: it has another that can be delivered now. Never throws. */
  next(): boolean
}

/** Then others have a turn of the event loop: taps that never wait must not keep sockets from being served. */
const MOST = 64

export function createTurns(): Turns {
  let queue: TurnMember[] = []
  let isComing = false

  const run = () => {
    let at = 0
    for (; at < queue.length && at < MOST; at++) {
      const member = queue[at]!
      if (member.next()) queue.push(member)
    }
    queue = at === queue.length ? [] : queue.slice(at)
    isComing = queue.length > 0
    if (isComing) void nextTurn().then(run)
  }
  return {
    join(member) {
      queue.push(member)
      if (isComing) return
      isComing = true
      queueMicrotask(run)
    },
  }
}
