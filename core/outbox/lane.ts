import {
  type Carrier,
  type Clock,
  type Delivery,
  type Handover,
  type Log,
  messageOf,
  type Random,
} from 'boltbot/plugin-sdk'
import { withDeadline } from '../host/deadline.ts'
import { type Budget, type Claimed, claim, conclude } from '../store/outbox.ts'
import type { Due, Lane as LaneFilter, OutboxBody } from '../store/outbox-rows.ts'
import { nextDue } from '../store/outbox-views.ts'
import type { Store } from '../store/store.ts'
import { handoverDeadline } from './errors.ts'

/**
 * One carrier at work: takes its messages one after the other, never two in hand at a time, so that a kill leaves at most one in
 * doubt. Each is marked as in hand on the disk before the carrier sees it.
 */
export interface Lane extends AsyncDisposable {
  readonly carrier: Carrier
  /** There may be something to do. */
  wake(): void
  /** As above, and at once: no waiting for a carrier that failed. */
  hurry(): void
  begin(): void
}

export interface LaneDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Which messages are its own now: other carriers come and go. */
  readonly filter: () => LaneFilter
  readonly budget: () => Budget | null
  readonly giveUpMs: () => number
  readonly refOf: (claimed: Claimed) => string
  /** Is dead now. */
  readonly buried: (claimed: Claimed, reason: string) => Promise<void>
  /** Went to another scheme. */
  readonly passedOn: (scheme: string) => void
}

const DEADLINE_MS = 15 * 60_000
/** At stop: for the other side to answer, and then for the carrier to heed its signal. Together less than a plugin has to close. */
const GRACE_MS = 3000
const ABORT_MS = 1000
/** Of a recipient who is put off: half a minute, doubling to an hour. */
const RECIPIENT_MS = [30_000, 3_600_000] as const
/** Of a carrier that reaches nobody: a second, doubling to a minute. */
const CARRIER_MS = [1000, 60_000] as const
/** So often the far side may die with one message in hand, one time after the other, before that message waits alone. */
const STUBBORN = 3

export function createLane(carrier: Carrier, deps: LaneDeps): Lane {
  const { store, clock, random, log } = deps
  const { scheme } = carrier
  const stopping = new AbortController()
  const aborting = new AbortController()
  let asleep: PromiseWithResolvers<void> | undefined
  let resting = false
  let woken = false
  let running: Promise<void> | undefined
  let stubborn = { id: 0, tries: 0 }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        const due = await nextDue(store, deps.filter())
        if (typeof due !== 'object' || due === null) await sleep(due)
        else if (await bring(due)) failures = 0
        else await rest(backOff(failures++, CARRIER_MS))
      } catch (error) {
        if (stopping.signal.aborted) return
        log.error('outbox failed', { scheme, error })
        await rest(backOff(failures++, CARRIER_MS))
      }
    }
  }

  /** False: the carrier reaches nobody at present. */
  async function bring({ id, recipient }: Due): Promise<boolean> {
    const address = await addressOf(id, recipient)
    if (address === undefined) return true
    const claimed = await claim(store, id, { address, budget: deps.budget() })
    if (claimed.status !== 'claimed') return true
    const handover = await handOver(claimed)
    return concludeWith(claimed, handover)
  }

  /** `undefined`: it was put off or passed on. */
  async function addressOf(id: number, recipient: string): Promise<string | undefined> {
    const [, kind = '', name = ''] = /^([^:]*):(.*)$/s.exec(recipient) ?? []
    if (kind !== 'person') return name
    try {
      const address = await carrier.addressOf(name)
      if (address !== null) return address
      const unknown = await inStore(id)
      if (unknown) await passOn(unknown, `no ${scheme} address of ${name} is known`)
    } catch (error) {
      log.warn('address of a person could not be found, tried again', { scheme, who: name, error })
      await notFound(id, messageOf(error))
    }
    return undefined
  }

  /** Somebody whose address nobody can tell at present: tried again, but not for ever. */
  async function notFound(id: number, reason: string): Promise<void> {
    const waiting = await inStore(id)
    if (waiting === undefined) return
    if (clock.now() - waiting.row.created_at > deps.giveUpMs()) return bury(waiting, `put off for too long: ${reason}`)
    const notBefore = clock.now() + backOff(2, RECIPIENT_MS)
    await conclude(store, id, { state: 'waiting', error: reason, notBefore })
  }

  async function inStore(id: number): Promise<Claimed | undefined> {
    const row = await store.db.selectFrom('outbox').selectAll().where('id', '=', id).executeTakeFirst()
    if (row === undefined) return undefined
    const messages = store.db.selectFrom('outbox_messages').selectAll()
    const message = await messages.where('id', '=', row.message_id).executeTakeFirst()
    return message && { status: 'claimed', row, message }
  }

  async function handOver(claimed: Claimed): Promise<Handover> {
    const late = () => handoverDeadline(scheme, DEADLINE_MS)
    try {
      const work = Promise.try(() => carrier.deliver(deliveryOf(claimed), { signal: aborting.signal }))
      return await withDeadline(work, { clock, ms: DEADLINE_MS, late })
    } catch (error) {
      return { status: 'later', about: 'carrier', reason: messageOf(error), inDoubt: true }
    }
  }

  async function concludeWith(claimed: Claimed, handover: Handover): Promise<boolean> {
    const { row, message } = claimed
    const fields = { scheme, to: row.address, subject: message.subject, id: row.id }
    switch (handover.status) {
      case 'delivered':
        log.info('message delivered', fields)
        await noteSent(row.id)
        return true
      case 'stale':
        log.info('message thrown away, it is too old', { ...fields, reason: handover.reason })
        await conclude(store, row.id, { state: 'dropped', error: handover.reason })
        return true
      case 'refused':
        await bury(claimed, handover.reason)
        return true
      case 'absent':
        await passOn(claimed, handover.reason)
        return true
      case 'later': {
        const { about, reason, inDoubt = false } = handover
        const ofCarrier = about === 'carrier' && !isStubborn(row.id, inDoubt)
        if (!ofCarrier && clock.now() - row.created_at > deps.giveUpMs()) {
          await bury(claimed, `put off for too long: ${reason}`, inDoubt)
          return true
        }
        log.warn(ofCarrier ? 'carrier reaches nobody, tried again' : 'message put off', { ...fields, reason, inDoubt })
        const notBefore = ofCarrier ? 0 : clock.now() + backOff(row.attempts - 1, RECIPIENT_MS)
        await conclude(store, row.id, { state: 'waiting', error: reason, notBefore, inDoubt, free: ofCarrier })
        return !ofCarrier
      }
    }
  }

  /** The far side dies of this one message, again and again: others must not wait for it. */
  function isStubborn(id: number, inDoubt: boolean): boolean {
    stubborn = inDoubt ? { id, tries: stubborn.id === id ? stubborn.tries + 1 : 1 } : { id, tries: 0 }
    return stubborn.tries >= STUBBORN
  }

  /** Committed is enough: the mark of the next message is durable only after this. */
  async function noteSent(id: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    conclude(store, id, { state: 'sent' }, { committed: resolve }).catch(reject)
    await promise
  }

  async function passOn(claimed: Claimed, reason: string): Promise<void> {
    const [next, ...via] = JSON.parse(claimed.row.via) as readonly string[]
    if (next === undefined) return bury(claimed, reason)
    log.info('message goes another way', { from: scheme, to: next, id: claimed.row.id, reason })
    await conclude(store, claimed.row.id, { state: 'waiting', error: reason, scheme: next, via })
    deps.passedOn(next)
  }

  async function bury(claimed: Claimed, reason: string, inDoubt = false): Promise<void> {
    const { row, message } = claimed
    log.error('message refused for good', {
      scheme,
      to: row.address ?? row.recipient,
      subject: message.subject,
      id: row.id,
      reason,
    })
    await conclude(store, row.id, { state: 'dead', error: reason, inDoubt })
    await deps.buried(claimed, reason)
  }

  function deliveryOf(claimed: Claimed): Delivery {
    const { row, message } = claimed
    const body = JSON.parse(message.body) as OutboxBody // written by `enqueue`
    return {
      ...body,
      id: row.id,
      ref: deps.refOf(claimed),
      address: row.address!,
      subject: message.subject,
      ...(message.thread !== null && { thread: message.thread }),
      urgency: message.urgency as Delivery['urgency'], // as above
      attempt: row.attempts,
      inDoubt: row.in_doubt > 0,
      createdAt: message.created_at,
    }
  }

  function backOff(failures: number, [first, most]: readonly [number, number]): number {
    return Math.min(first * 2 ** Math.min(failures, 30), most) * (0.8 + 0.4 * random.next())
  }

  async function sleep(until: number | null): Promise<void> {
    if (woken || stopping.signal.aborted) {
      woken = false
      return
    }
    asleep = Promise.withResolvers<void>()
    using _timer = until === null ? undefined : clock.timer(Math.max(0, until - clock.now()), asleep.resolve)
    await asleep.promise
    asleep = undefined
    woken = false
  }

  /** Not ended by a wake. */
  async function rest(ms: number): Promise<void> {
    if (stopping.signal.aborted) return
    asleep = Promise.withResolvers<void>()
    resting = true
    using _timer = clock.timer(ms, asleep.resolve)
    await asleep.promise
    resting = false
    asleep = undefined
  }

  function rouse(): void {
    woken = true
    asleep?.resolve()
  }

  return {
    carrier,
    begin() {
      running ??= run()
    },
    wake() {
      woken = true
      if (!resting) asleep?.resolve()
    },
    hurry: rouse,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      rouse()
      using _abort = clock.timer(GRACE_MS, () => aborting.abort())
      const left = Promise.withResolvers<void>()
      using _left = clock.timer(GRACE_MS + ABORT_MS, left.resolve)
      // One that heeds nothing stays marked as in hand: in doubt at the next start.
      await Promise.race([running, left.promise])
    },
  }
}
