import type { Readable } from 'node:stream'
import type { Clock } from 'boltbot/plugin-sdk'
import { type AddressObject, type AttachmentStream, MailParser as Decoder, type MessageText } from 'mailparser'
import { mailTooSlow, mailUnreadable } from './errors.ts'
import type { RawMail } from './folder.ts'
import type { CommitMail } from './mail.ts'

const DEADLINE_MS = 60_000
/** Nothing is made out of HTML: it costs time and no parser wants it. */
const DECODING = {
  maxHeadSize: 64 << 10,
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
}

/** Decodes a mail. Attachments are let go as they come, and nothing is unpacked. @throws CiError when it cannot be decoded. */
export async function readMail({ bytes, received }: RawMail, clock: Pick<Clock, 'timer'>): Promise<CommitMail> {
  if (bytes.length === 0) throw mailUnreadable('it is empty')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const decoder = new Decoder(DECODING)
  using _timer = clock.timer(DEADLINE_MS, () => reject(mailTooSlow(DEADLINE_MS / 1000)))
  decoder.on('data', (part: AttachmentStream | MessageText) => {
    if (part.type !== 'attachment') return
    part.content.on('end', () => part.release())
    ;(part.content as Readable).resume() // its types know no more than that it is a stream
  })
  decoder.on('error', (error: unknown) => reject(mailUnreadable(error)))
  decoder.on('end', () => resolve())
  decoder.end(bytes)
  try {
    await promise
  } catch (error) {
    decoder.destroy()
    throw error
  }
  // It joins all texts into one; only its tree, which its types leave out, tells them apart.
  const { tree, headers, headerLines } = decoder as unknown as Decoded
  const raw = (name: string) => headerLines.find(({ key }) => key === name)?.line.slice(name.length + 1)
  const textOf = (name: string): string | null => {
    const value = headers.get(name)
    const found = typeof value === 'string' ? value : raw(name)
    return found === undefined ? null : withoutNul(found.replace(/\r?\n[ \t]+/g, ' ').trim())
  }
  const sender = (headers.get('from') as AddressObject | undefined)?.value[0] // mailparser parses this header so
  const date = Date.parse(raw('date') ?? '')
  return {
    from: sender ? { name: withoutNul(sender.name), address: withoutNul(sender.address ?? '') } : null,
    subject: textOf('subject') ?? '',
    messageId: textOf('message-id'),
    date: Number.isNaN(date) ? null : date,
    received,
    text: withoutNul(firstText(tree) ?? '').replace(/\r\n?/g, '\n'),
    header: (name) => textOf(name.toLowerCase()),
  }
}

interface Decoded {
  readonly tree: Part
  readonly headers: ReadonlyMap<string, unknown>
  readonly headerLines: readonly { readonly key: string; readonly line: string }[]
}

interface Part {
  readonly contentType?: string | false
  /** Only of texts that are no attachments. */
  readonly textContent?: string
  readonly children: readonly Part[]
}

/** mailparser stops at a thousand parts, so this cannot go too deep. */
function firstText(part: Part): string | undefined {
  if (part.contentType === 'text/plain' && part.textContent !== undefined) return part.textContent
  for (const child of part.children) {
    const text = firstText(child)
    if (text !== undefined) return text
  }
  return undefined
}

/** A change may hold none. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\ufffd')
}
