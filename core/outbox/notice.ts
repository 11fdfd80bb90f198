import { type Carrier, isJson, type Notice, type Recipient } from 'boltbot/plugin-sdk'
import { type OutboxNotice, recipientKey } from '../store/outbox-rows.ts'
import { noticeMalformed } from './errors.ts'

/**
 * A notice as it is stored: checked, each recipient once, secrets hidden.
 * @throws CiError `BOLT_OUTBOX_NOTICE`.
 */
export function completeNotice(
  plugin: string,
  notice: Notice,
  redact: (text: string) => string,
  has: (scheme: Carrier['scheme']) => boolean,
): OutboxNotice {
  const problem = problemOf(notice)
  if (problem !== undefined) throw noticeMalformed(plugin, problem)
  const { to, subject, text, html, urgency = 'normal', group: _, ...rest } = notice
  const recipients = new Map(to.map((one) => [recipientKey(one), { recipient: recipientKey(one), ...wayTo(one, has) }]))
  return {
    ...rest,
    subject: redact(subject),
    text: redact(text),
    ...(html !== undefined && { html: redact(html) }),
    urgency,
    to: [...recipients.values()],
  }
}

/** The schemes to try, those first that there is a carrier for. */
function wayTo(
  recipient: Recipient,
  has: (scheme: string) => boolean,
): { readonly schemes: readonly [string, ...string[]] } {
  if (!('who' in recipient)) return { schemes: [recipient.scheme] }
  const { via = ['mail'] } = recipient
  const served = via.filter(has)
  const [first = 'mail', ...rest] = served.length > 0 ? served : via
  return { schemes: [first, ...rest] }
}

const MAX_BYTES = 20 * 1024 * 1024

function problemOf(notice: Notice): string | undefined {
  const { key, group, to, subject, text, html, thread, urgency, attachments = [], extra = {} } = notice
  if (!isText(key)) return 'its key is no text'
  if (group !== undefined && !isText(group)) return 'its group is no text'
  if (!Array.isArray(to)) return 'its recipients are no list'
  const wrong = to.find((one: Partial<Record<string, unknown>> | null) => !isRecipient(one))
  if (wrong !== undefined) return `"${JSON.stringify(wrong)}" is no recipient`
  if (typeof subject !== 'string' || typeof text !== 'string') return 'its subject or its text is no text'
  if (html !== undefined && typeof html !== 'string') return 'its html is no text'
  if (thread !== undefined && !isText(thread)) return 'its thread is no text'
  if (urgency !== undefined && urgency !== 'normal' && urgency !== 'high')
    return `its urgency is "${String(urgency)}", not normal or high`
  if (!isJson(extra)) return 'its extra is no JSON'
  const bytes = attachments.reduce((sum, one) => sum + one.base64.length, text.length + (html?.length ?? 0))
  return bytes > MAX_BYTES ? `it is longer than ${MAX_BYTES} bytes` : undefined
}

function isRecipient(value: Partial<Record<string, unknown>> | null): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!('who' in value)) return isText(value.scheme) && isText(value.address)
  const { who, via } = value
  return isText(who) && (via === undefined || (Array.isArray(via) && via.length > 0 && via.every(isText)))
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
