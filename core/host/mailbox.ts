import type { Clock, Log, ObserveHook, TapContext } from 'boltbot/plugin-sdk'
import type { TurnMember, Turns } from './turns.ts'

/** A tap of whatever hook: the catalogue ties hook and event, who calls here has both from there. */
export type AnyTap = (event: never, context: TapContext) => unknown

/** What happened and waits to be told to one tap of one plugin. */
export interface Letter {
  readonly hook: ObserveHook
  readonly tap: AnyTap
  readonly event: unknown
}

export interface Courier {
  /** Tells the tap; a promise when it is not done at once. Neither throws nor rejects: it reports failures itself. */
  deliver(letter: Letter): PromiseLike<void> | undefined
}

export interface MailboxDeps {
  readonly turns: Turns
  readonly clock: Clock
  readonly log: Log
  readonly courier: Courier
  readonly limit?: number
}

/**
 * The events one plugin has still to be told, first come first served, one at a time: a slow plugin delays nobody but itself.
 * Bounded: when it is full, the oldest `logAppended` goes, or, when there is none, the oldest of all.
 *
 * A class, and lists of links: between two events so much else runs that each object of it has to be fetched from memory anew, for each
 * plugin there is. That is most of what an idle plugin costs a build.
 */
export class Mailbox implements TurnMember {
  // Two lists with one count over both: the oldest logAppended is found without a search.
  readonly #events: List = { first: undefined, last: undefined }
  readonly #logs: List = { first: undefined, last: undefined }
  #waiting = 0
  #isOpen = false
  #isClosed = false
  #isShut = false
  /** In its turn, or waiting for one, or for a tap. */
  #isWorking = false
  #current: ObserveHook | undefined
  #posted = 0
  #untold = 0
  #dropped = 0
  #droppedNow = 0
  #idle: PromiseWithResolvers<void> | undefined
  // Each by itself: an object around them would be one more to fetch.
  readonly #turns: Turns
  readonly #clock: Clock
  readonly #log: Log
  readonly #courier: Courier
  readonly #limit: number

  constructor({ turns, clock, log, courier, limit = 10_000 }: MailboxDeps) {
    this.#turns = turns
    this.#clock = clock
    this.#log = log
    this.#courier = courier
    this.#limit = limit
  }

  /** Takes a letter; returns at once, and before the tap is called. */
  post(hook: ObserveHook, tap: AnyTap, event: unknown): void {
    if (this.#isClosed) return
    if (this.#isShut) {
      this.#dropped++
      this.#untold++
      return
    }
    append(hook === 'logAppended' ? this.#logs : this.#events, {
      hook,
      tap,
      event,
      number: this.#posted++,
      next: undefined,
    })
    if (++this.#waiting > this.#limit) this.#drop()
    this.#go()
  }

  /** Begins to deliver. Before that, letters wait. */
  open(): void {
    this.#isOpen = true
    this.#go()
  }

  /** Throws away what waits, and gives how many letters that were. What comes from now on is only counted. */
  shut(): number {
    this.#isShut = true
    const count = this.clear()
    this.#dropped += count
    return count
  }

  /** Takes letters again, and gives how many were only counted. */
  reopen(): number {
    const missed = this.#untold
    this.#isShut = false
    this.#untold = 0
    return missed
  }

  /** Takes no more letters, goes on with those it has, and resolves when it is empty or the time is up, with what is left. */
  async drain(ms: number): Promise<readonly ObserveHook[]> {
    this.#isClosed = true
    if (!this.#isWorking) return this.#left()
    this.#idle = Promise.withResolvers<void>()
    const up = Promise.withResolvers<void>()
    using _ = this.#clock.timer(ms, up.resolve)
    await Promise.race([this.#idle.promise, up.promise])
    return this.#left()
  }

  /** Throws away what waits, and gives how many letters that were. */
  clear(): number {
    const count = this.#waiting
    for (const list of [this.#events, this.#logs]) list.first = list.last = undefined
    this.#waiting = 0
    return count
  }

  /** Letters that wait or are being delivered. */
  get depth(): number {
    return this.#waiting + (this.#current ? 1 : 0)
  }

  /** Letters thrown away because it was full or shut. */
  get dropped(): number {
    return this.#dropped
  }

  /** For the turns. */
  next(): boolean {
    const letter = this.#take()
    if (letter === undefined) return this.#goOn()
    this.#current = letter.hook
    const done = this.#courier.deliver(letter)
    if (done === undefined) return this.#goOn()
    void done.then(() => {
      if (this.#goOn()) this.#turns.join(this)
    })
    return false
  }

  #go(): void {
    if (!this.#isOpen || this.#isWorking || this.#waiting === 0) return
    this.#isWorking = true
    this.#turns.join(this)
  }

  /** Behind a letter that is done: true when there is another. */
  #goOn(): boolean {
    this.#current = undefined
    if (this.#waiting > 0) return true
    this.#isWorking = false
    if (this.#droppedNow > 0) {
      this.#log.warn('mailbox empty again after events were dropped', { dropped: this.#droppedNow })
      this.#droppedNow = 0
    }
    this.#idle?.resolve()
    return false
  }

  #take(): Numbered | undefined {
    const event = this.#events.first
    const logged = this.#logs.first
    const list = logged && !(event && event.number < logged.number) ? this.#logs : this.#events
    const letter = shift(list)
    if (letter) this.#waiting--
    return letter
  }

  #drop(): void {
    if (!shift(this.#logs)) shift(this.#events)
    this.#waiting--
    this.#dropped++
    if (this.#droppedNow++ === 0) this.#log.warn('mailbox full, oldest events dropped', { limit: this.#limit })
  }

  #left(): readonly ObserveHook[] {
    const hooks = [...hooksOf(this.#events), ...hooksOf(this.#logs)]
    return this.#current ? [this.#current, ...hooks] : hooks
  }
}

interface Numbered extends Letter {
  readonly number: number
  next: Numbered | undefined
}

interface List {
  first: Numbered | undefined
  last: Numbered | undefined
}

function append(list: List, letter: Numbered): void {
  if (list.last) list.last.next = letter
  else list.first = letter
  list.last = letter
}

function shift(list: List): Numbered | undefined {
  const letter = list.first
  if (letter === undefined) return undefined
  list.first = letter.next
  if (list.first === undefined) list.last = undefined
  return letter
}

function* hooksOf({ first }: List): Generator<ObserveHook> {
  for (let letter = first; letter; letter = letter.next) yield letter.hook
}
