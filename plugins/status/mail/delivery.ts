import type { BuildFinished, Host, Json } from 'boltbot/plugin-sdk'
import { composeMail } from './compose.ts'
import { mailDeferred } from './errors.ts'
import type { Mailing } from './options.ts'
import { recipientsOf } from './recipients.ts'
import type { Answers, Smtp } from './smtp.ts'

/**
 * One event, one message. The host gives an event again until its tap is content; what the server said to whom is in the
 * plugin's state, so that nobody who was told is told again for the sake of somebody else.
 *
 * A hand-over goes on when its tap is given up as too slow: the tap of the next try waits for the same hand-over. So only a
 * master that dies, or stops, between the server's word and the note of it can send a second copy, with the same Message-ID.
 */
export interface Delivery extends AsyncDisposable {
  /** Resolves when everybody is told or will never be. @throws CiError when it must be tried again. */
  deliver(event: BuildFinished): Promise<void>
}

/** Kept of the newest event only: they come in order. */
type Progress = {
  readonly event: number
  readonly finished: boolean
  /** Accepted or refused for good; in lower case, as servers and libraries may change that. */
  readonly done: readonly string[]
  /** When it was first put off for one of these recipients, or for all. */
  readonly since: number | null
}

/** For a recipient who keeps being put off while others are served: later mails wait meanwhile. */
const GIVE_UP_ONE_MS = 3_600_000
/** For a message nobody is served with: as good as a server that is down, but not for ever. */
const GIVE_UP_ALL_MS = 24 * 3_600_000
const STOP_MS = 5000

export function createDelivery(host: Host, options: Mailing, smtp: Smtp): Delivery {
  const stopping = new AbortController()
  let underWay: { readonly event: number; readonly done: Promise<void> } | undefined

  async function handOver(event: BuildFinished): Promise<void> {
    const before = readProgress(await host.state.get('progress'))
    if (before !== undefined && (before.event > event.eventId || (before.event === event.eventId && before.finished)))
      return
    const known = before?.event === event.eventId ? before : undefined
    const progress = known ?? { event: event.eventId, finished: false, done: [], since: null }
    const age = progress.since === null ? 0 : host.clock.now() - progress.since

    const recipients = await lookUp(event, progress, age)
    const left = [...recipients.to, ...recipients.cc].filter(
      (address) => !progress.done.includes(address.toLowerCase()),
    )
    if (left.length === 0) return note({ ...progress, finished: true })

    const message = await composeMail(host, options, event, recipients)
    const answers = await smtp.send(message, left, stopping.signal)
    await conclude(event, progress, answers, age)
  }

  async function lookUp(event: BuildFinished, progress: Progress, age: number) {
    try {
      return await recipientsOf(host, options, event.blamelist, age > GIVE_UP_ONE_MS)
    } catch (error) {
      await note({ ...progress, since: progress.since ?? host.clock.now() })
      throw error
    }
  }

  async function conclude(event: BuildFinished, progress: Progress, answers: Answers, age: number): Promise<void> {
    const fields = { builder: event.builder, number: event.number, server: smtp.server }
    for (const { address, reason } of answers.refused)
      host.log.error('mail refused for good, this person is not told', { ...fields, address, reason })
    const settled = [...answers.accepted, ...answers.refused.map(({ address }) => address)]
    const done = [...progress.done, ...settled.map((address) => address.toLowerCase())]
    if (answers.accepted.length > 0) host.log.info('mail sent', { ...fields, to: answers.accepted.join(', ') })

    const isLate = age > (done.length > 0 ? GIVE_UP_ONE_MS : GIVE_UP_ALL_MS)
    if (answers.deferred.length > 0 && !isLate) {
      await note({ ...progress, done, since: progress.since ?? host.clock.now() })
      const addresses = answers.deferred.map(({ address }) => address)
      throw mailDeferred(smtp.server, addresses, answers.deferred[0]?.reason ?? 'no reason given')
    }
    for (const { address, reason } of answers.deferred)
      host.log.error('mail put off for too long, this person is not told', { ...fields, address, reason })
    await note({ ...progress, done, finished: true })
  }

  function note(progress: Progress): Promise<void> {
    return host.state.set('progress', { ...progress })
  }

  return {
    async deliver(event) {
      if (underWay?.event !== event.eventId) {
        await underWay?.done.catch(() => {}) // its own tap heard of it
        const done = handOver(event)
        const mine = { event: event.eventId, done }
        underWay = mine
        const over = () => {
          if (underWay === mine) underWay = undefined
        }
        done.then(over, over)
      }
      await underWay?.done
    },
    async [Symbol.asyncDispose]() {
      // A moment for a server that has the message in hand.
      using _timer = host.clock.timer(STOP_MS, () => stopping.abort())
      await underWay?.done.catch(() => {}) // its own tap heard of it
    },
  }
}

function readProgress(state: Json | undefined): Progress | undefined {
  return state as Progress | undefined // as noted above
}
