import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Log, ObserveHook } from 'boltbot/plugin-sdk'

/** What happened and waits to be told to one tap of one plugin. */
export interface Letter {
  readonly hook: ObserveHook
  readonly event: unknown
  /** Tells the tap. Never rejects: whoever makes letters reports failures. */
  readonly deliver: () => Promise<void>
}

/**
 * The events one plugin has still to be told, first come first served, one at a time: a slow plugin delays nobody but itself.
 * Bounded: when it is full, the oldest `logAppended` goes, or, when there is none, the oldest of all.
 */
export interface Mailbox {
  /** Takes a letter; returns at once, and before the tap is called. */
  post(letter: Letter): void
  /** Begins to deliver. Before that, letters wait. */
  open(): void
  /** Takes no more letters, goes on with those it has, and resolves when it is empty or the time is up, with what is left. */
  drain(ms: number): Promise<readonly ObserveHook[]>
  /** Throws away what waits. */
  clear(): void
  /** Letters that wait or are being delivered. */
  readonly depth: number
  /** Letters thrown away because it was full. */
  readonly dropped: number
}

export interface MailboxDeps {
  readonly clock: Clock
  readonly log: Log
  readonly limit?: number
}

export function createMailbox({ clock, log, limit = 10_000 }: MailboxDeps): Mailbox {
  // Two queues with one count over both: the oldest logAppended is found without a search.
  const queues = { events: createFifo<Numbered>(), logs: createFifo<Numbered>() }
  let posted = 0
  let dropped = 0
  let droppedNow = 0
  let isOpen = false
  let closed = false
  let current: ObserveHook | undefined
  let working: Promise<void> | undefined

  const waiting = () => queues.events.size + queues.logs.size
  const take = (): Letter | undefined => {
    const [event, logged] = [queues.events.first(), queues.logs.first()]
    if (!logged) return queues.events.shift()?.letter
    return (event && event.number < logged.number ? queues.events : queues.logs).shift()?.letter
  }
  const drop = () => {
    if (!queues.logs.shift()) queues.events.shift()
    dropped++
    if (droppedNow++ === 0) log.warn('mailbox full, oldest events dropped', { limit })
  }
  const work = async () => {
    await Promise.resolve() // never in the caller's own turn
    for (let count = 1; ; count++) {
      const letter = take()
      if (!letter) break
      current = letter.hook
      await letter.deliver()
      current = undefined
      if (count % 64 === 0) await nextTurn() // taps that never wait must not keep sockets from being served
    }
    if (droppedNow > 0) log.warn('mailbox empty again after events were dropped', { dropped: droppedNow })
    droppedNow = 0
    working = undefined
  }
  const go = () => {
    if (isOpen && !working && waiting() > 0) working = work()
  }

  return {
    post(letter) {
      if (closed) return
      ;(letter.hook === 'logAppended' ? queues.logs : queues.events).push({ letter, number: posted++ })
      if (waiting() > limit) drop()
      go()
    },
    open() {
      isOpen = true
      go()
    },
    async drain(ms) {
      closed = true
      if (!working) return left()
      const up = Promise.withResolvers<void>()
      using _ = clock.timer(ms, up.resolve)
      await Promise.race([working, up.promise])
      return left()
    },
    clear() {
      queues.events.clear()
      queues.logs.clear()
    },
    get depth() {
      return waiting() + (current ? 1 : 0)
    },
    get dropped() {
      return dropped
    },
  }

  function left(): readonly ObserveHook[] {
    return [...(current ? [current] : []), ...queues.events.all(), ...queues.logs.all()].map((item) =>
      typeof item === 'string' ? item : item.letter.hook,
    )
  }
}

interface Numbered {
  readonly letter: Letter
  readonly number: number
}

/** First in, first out, without moving what waits each time. */
function createFifo<T>() {
  let items: T[] = []
  let head = 0
  return {
    push: (item: T) => void items.push(item),
    first: (): T | undefined => items[head],
    shift(): T | undefined {
      if (head === items.length) return undefined
      const item = items[head++]
      if (head === items.length || (head > 1000 && head * 2 > items.length)) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
    all: (): readonly T[] => items.slice(head),
    clear() {
      items = []
      head = 0
    },
    get size() {
      return items.length - head
    },
  }
}
