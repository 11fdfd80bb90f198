import type { Readable } from 'node:stream'
import { type AddressObject, type AttachmentStream, MailParser as Decoder, type MessageText } from 'mailparser'

/** A mail as it goes from thread to thread: plain data. */
export interface DecodedMail {
  readonly from: { readonly name: string; readonly address: string } | null
  readonly subject: string
  readonly messageId: string | null
  readonly date: number | null
  readonly text: string
  /** By name in lower case; the first of each. */
  readonly headers: ReadonlyMap<string, string>
}

/** Nothing is made out of HTML: it costs time and no parser wants it. */
const DECODING = {
  maxHeadSize: 64 << 10,
  skipHtmlToText: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  skipImageLinks: true,
}

/** Decodes a mail. Attachments are let go as they come, and nothing is unpacked. Rejects when it cannot be decoded. */
export async function decodeMail(bytes: Buffer): Promise<DecodedMail> {
  if (bytes.length === 0) throw new Error('it is empty')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const decoder = new Decoder(DECODING)
  decoder.on('data', (part: AttachmentStream | MessageText) => {
    if (part.type !== 'attachment') return
    part.content.on('end', () => part.release())
    ;(part.content as Readable).resume() // its types know no more than that it is a stream
  })
  decoder.on('error', reject)
  decoder.on('end', () => resolve())
  decoder.end(bytes)
  try {
    await promise
  } catch (error) {
    decoder.destroy()
    throw error
  }
  // It joins all texts into one; only its tree, which its types leave out, tells them apart.
  return facts(decoder as unknown as Decoded)
}

function facts({ tree, headers, headerLines }: Decoded): DecodedMail {
  const texts = new Map<string, string>()
  for (const { key, line } of headerLines) {
    const value = headers.get(key)
    const found = typeof value === 'string' ? value : line.slice(key.length + 1)
    if (!texts.has(key)) texts.set(key, withoutNul(found.replace(/\r?\n[ \t]+/g, ' ').trim()))
  }
  const sender = (headers.get('from') as AddressObject | undefined)?.value[0] // mailparser parses this header so
  const sent = headerLines.find(({ key }) => key === 'date')?.line.slice('date:'.length)
  const date = Date.parse(sent ?? '') // mailparser would take now for a date that it cannot read
  return {
    from: sender ? { name: withoutNul(sender.name), address: withoutNul(sender.address ?? '') } : null,
    subject: texts.get('subject') ?? '',
    messageId: texts.get('message-id') ?? null,
    date: Number.isNaN(date) ? null : date,
    text: withoutNul(firstText(tree) ?? '').replace(/\r\n?/g, '\n'),
    headers: texts,
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
