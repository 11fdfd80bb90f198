/** Messages to people: what plugins give to the outbox, and what carriers take out of it. */
import type { Json } from './json.ts'

/**
 * A message for some people. It is stored, and then handed over by a carrier until that took it: over dead servers, restarts and
 * kills. Of one plugin (or group), key and recipient there is never a second message.
 */
export interface Notice {
  /** What it is about, the same each time the same is told: `build:${eventId}`. Unique in its plugin. */
  readonly key: string
  /** Several plugins that would tell the same give one name here: it is told once. Left out: the plugin tells for itself. */
  readonly group?: string
  readonly to: readonly Recipient[]
  readonly subject: string
  readonly text: string
  readonly html?: string
  /** Messages of one thread reach a recipient in the order they were given. */
  readonly thread?: string
  /** `high`: not held back by the budget of the recipient; default `normal`. */
  readonly urgency?: Urgency
  readonly attachments?: readonly Attachment[]
  /** For carriers that know it: extra headers of a mail, the colour of a line of chat. */
  readonly extra?: Readonly<Record<string, Json>>
}

/** `high`: the budget of the recipient does not hold it back. */
export type Urgency = 'normal' | 'high'

/**
 * - a person, named as changes name their authors; `via` lists schemes of carriers, the first that can reach the person does;
 *   default `['mail']`;
 * - an address of one scheme: `{ scheme: 'mail', address: 'jane@example.org' }`.
 */
export type Recipient =
  | { readonly who: string; readonly via?: readonly string[] }
  | { readonly scheme: string; readonly address: string }

/** A file that goes with a message; carriers that cannot bring files leave it out. */
export interface Attachment {
  readonly name: string
  /** `text/plain`, `application/gzip`. */
  readonly type: string
  readonly base64: string
}

/** What became of a notice. */
export interface Notified {
  /** How many messages are new in the outbox: one for each recipient who was not told this before. */
  readonly queued: number
}

/** Brings messages to addresses of one scheme. */
export interface Carrier {
  /** What its addresses are: `mail`, `irc`. A plugin's own carrier takes its messages, else the first of the scheme. */
  readonly scheme: string
  /**
   * The address of a person; `null`: this carrier cannot reach them, the next scheme is tried. A throw: not known now, tried again. Awaited.
   */
  addressOf(who: string): Promise<string | null>
  /**
   * Hands over one message; there is never a second one under way. What it throws counts as `later`, about the whole carrier. Heed the
   * signal: it is aborted when the plugin stops. Awaited before the next.
   */
  deliver(delivery: Delivery, context: { readonly signal: AbortSignal }): Promise<Handover>
}

/** One message for one recipient. */
export interface Delivery extends Omit<Notice, 'to' | 'key' | 'group'> {
  /** Number of the message in the outbox. */
  readonly id: number
  /** Unique in the world and the same for each try and for all recipients of a notice: letters, digits and dots. */
  readonly ref: string
  readonly address: string
  readonly urgency: Urgency
  /** 1 for the first try. */
  readonly attempt: number
  /** True: it was in hand when the master died, or its server when the connection broke. It may have been told already. */
  readonly inDoubt: boolean
  readonly createdAt: number
}

/**
 * What came of it:
 * - `delivered`: the other side has taken it;
 * - `later`: about this `recipient`, or this whole `carrier` (nobody can be reached: a dead server). `inDoubt`: it may have been taken;
 * - `refused`: for good; it becomes a dead letter, and the admins are told;
 * - `absent`: the person is not there (not seen in chat for long): the next scheme is tried;
 * - `stale`: nobody wants to know any more; it is thrown away.
 */
export type Handover =
  | { readonly status: 'delivered' }
  | {
      readonly status: 'later'
      readonly about: 'recipient' | 'carrier'
      readonly reason: string
      readonly inDoubt?: boolean
    }
  | { readonly status: 'refused' | 'absent' | 'stale'; readonly reason: string }
