import { createHash } from 'node:crypto'
import type { Carrier, Delivery, Handover, Host } from 'boltbot/plugin-sdk'
import { type Address, isAddress, parseAddress } from './address.ts'
import type { Mailing } from './options.ts'
import { oneLine } from './plain-text.ts'
import { findAddress } from './recipients.ts'
import type { Message, Smtp } from './smtp.ts'

/** What a notice may say of the mail it becomes, in `extra`. */
export type MailExtra = {
  /** In To and Cc; the recipient alone when both are left out. */
  readonly to?: readonly string[]
  readonly cc?: readonly string[]
  readonly messageId?: string
  readonly inReplyTo?: string
  readonly references?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Why each recipient gets it, by address in small letters; `*`: all others. */
  readonly why?: Readonly<Record<string, string>>
  /** Names the kind of mail in its List-Id: `full`. */
  readonly list?: string
}

export interface MailLetterhead extends Pick<Mailing, 'lookup'> {
  readonly fromaddr: string
  readonly extraHeaders: Readonly<Record<string, string>>
}

/** Brings any message of the outbox as a mail, one recipient at a time. */
export function createMailCarrier(
  host: Pick<Host, 'people' | 'query' | 'clock'>,
  head: MailLetterhead,
  smtp: Smtp,
): Carrier {
  return {
    scheme: 'mail',
    addressOf: async (who) => (isAddress(who) ? who : findAddress(host, head, who)),
    async deliver(delivery, { signal }): Promise<Handover> {
      if (!isAddress(delivery.address))
        return { status: 'refused', reason: `"${oneLine(delivery.address, 100)}" is not a plain mail address` }
      return smtp.send(mailOf(delivery, head, host.query.project().name), delivery.address, signal)
    },
  }
}

/** The same message for the same delivery, however often it is tried. */
export function mailOf(
  delivery: Delivery,
  { fromaddr, extraHeaders }: Omit<MailLetterhead, 'lookup'>,
  project: string,
): Message {
  const from: Address = parseAddress(fromaddr) ?? { name: '', address: fromaddr } // checked by the schema
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const extra = (delivery.extra ?? {}) as MailExtra // written by the plugin of this folder, or left out
  const { to = [], cc = [], list = 'notices', headers = {}, why = {} } = extra
  // Whose address was not known when the mail was written stands there all the same.
  const isListed = [...to, ...cc].some((one) => one.toLowerCase() === delivery.address.toLowerCase())
  const { thread } = delivery
  const root = thread === undefined ? undefined : `<boltbot.thread.${digestOf(thread)}@${domain}>`
  return {
    from,
    to: isListed ? to : [...to, delivery.address],
    cc,
    subject: oneLine(delivery.subject, 300),
    text: delivery.text,
    html: delivery.html,
    attachments: delivery.attachments ?? [],
    date: new Date(delivery.createdAt),
    messageId: extra.messageId ?? `<boltbot.${delivery.ref}@${domain}>`,
    inReplyTo: extra.inReplyTo ?? root,
    references: extra.references ?? (root === undefined ? [] : [root]),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'List-Id': `${oneLine(project, 100).replace(/[^\w .-]/g, '_')} <${slug(list)}.${slug(project)}.${domain}>`,
      'X-Boltbot-Project': oneLine(project, 300),
      'X-Boltbot-Why': oneLine(why[delivery.address.toLowerCase()] ?? why['*'] ?? 'it was sent to you by name', 300),
      ...headers,
      ...extraHeaders,
    },
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}

const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60) || 'x'
