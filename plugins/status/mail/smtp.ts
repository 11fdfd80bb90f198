import type { Attachment, Clock, Handover } from 'boltbot/plugin-sdk'
import { createTransport } from 'nodemailer'
import type { Address } from './address.ts'
import type { Connection } from './options.ts'

export interface Message {
  readonly from: Address
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string | undefined
  readonly attachments: readonly Attachment[]
  readonly date: Date
  readonly messageId: string
  readonly inReplyTo: string | undefined
  readonly references: readonly string[]
  readonly headers: Readonly<Record<string, string>>
}

/** One connection to the mail server, kept open while there is something to say. */
export interface Smtp extends Disposable {
  readonly server: string
  /** Hands over a message for one recipient. Never rejects. */
  send(message: Message, recipient: string, signal: AbortSignal): Promise<Handover>
}

const MINUTE_MS = 60_000
/** Servers close connections that are idle for minutes. */
const IDLE_MS = 20_000

export function createSmtp(options: Connection, password: () => string | undefined, clock: Clock): Smtp {
  const { relayhost: host, smtpPort: port, smtpUser: user, tls, tlsCa } = options
  const server = `${host}:${port}`
  let transport: ReturnType<typeof open> | undefined
  let idle: Disposable | undefined
  /** The whole message went out: from here on it may have been taken. */
  let dataSent = false

  function open() {
    return createTransport({
      pool: true,
      maxConnections: 1,
      // A new connection costs its greeting, TLS and login. Servers that have an opinion of how much is enough say 421.
      maxMessages: Number.POSITIVE_INFINITY,
      // By itself it would send a message again whose connection broke, also one that was taken.
      maxRequeues: 0,
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      secure: tls === 'smtps',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: { rejectUnauthorized: tls !== 'opportunistic', ...(tlsCa !== undefined && { ca: tlsCa }) },
      ...(user !== undefined && { auth: { user, pass: password() ?? '' } }),
      connectionTimeout: MINUTE_MS / 4,
      greetingTimeout: MINUTE_MS / 2,
      // A server may look long at a message before it takes it: to give up early would send it twice.
      socketTimeout: 10 * MINUTE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
      logger: transcript((kind) => {
        if (kind === 'message') dataSent = true
      }),
    })
  }

  function close(): void {
    idle?.[Symbol.dispose]()
    transport?.close({ force: true })
    transport = undefined
  }

  async function attempt(mail: Mail, signal: AbortSignal): Promise<Handover> {
    if (signal.aborted) return { status: 'later', about: 'carrier', reason: 'the master stops' }
    idle?.[Symbol.dispose]()
    dataSent = false
    const given = Promise.withResolvers<never>()
    const abort = () => {
      given.reject(new Error('the master stops'))
      close()
    }
    signal.addEventListener('abort', abort, { once: true })
    try {
      transport ??= open()
      await Promise.race([transport.sendMail(mail), given.promise])
      idle = clock.timer(IDLE_MS, close)
      return { status: 'delivered' }
    } catch (error) {
      const answer = answerOf(error as SmtpError, server, dataSent) // its own errors look so; others lack the fields
      if (isOfCarrier(answer)) close()
      else idle = clock.timer(IDLE_MS, close)
      return answer
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  return {
    server,
    async send(message, recipient, signal) {
      const mail = mailFor(message, recipient)
      const wasOpen = transport !== undefined
      const answer = await attempt(mail, signal)
      // The server may have had enough of a connection that was used before: that says nothing of a new one.
      return wasOpen && isOfCarrier(answer) && !dataSent ? attempt(mail, signal) : answer
    },
    [Symbol.dispose]: close,
  }
}

type Mail = ReturnType<typeof mailFor>

/** A message as nodemailer wants it. */
export function mailFor(
  { to, cc, attachments, references, headers, html, inReplyTo, ...message }: Message,
  recipient: string,
) {
  return {
    ...message,
    to: [...to],
    cc: [...cc],
    ...(html !== undefined && { html }),
    ...(inReplyTo !== undefined && { inReplyTo }),
    references: [...references],
    headers: { ...headers },
    attachments: attachments.map(({ name, type, base64 }) => ({
      filename: name,
      contentType: type,
      content: Buffer.from(base64, 'base64'),
    })),
    envelope: { from: message.from.address, to: [recipient] },
  }
}

const isOfCarrier = (answer: Handover) => answer.status === 'later' && answer.about === 'carrier'

/** What nodemailer tells of a failure. */
interface SmtpError extends Error {
  readonly code?: string | undefined
  readonly responseCode?: number | undefined
  readonly response?: string | undefined
}

function answerOf(error: SmtpError, server: string, dataSent: boolean): Handover {
  const { code, responseCode, response } = error
  const reason = response ?? error.message
  if (code === 'EENVELOPE' || code === 'EMESSAGE')
    return responseCode !== undefined && responseCode < 500
      ? // 421: the server goes away; it says nothing of the recipient.
        { status: 'later', about: responseCode === 421 ? 'carrier' : 'recipient', reason }
      : { status: 'refused', reason }
  const inDoubt = dataSent && responseCode === undefined
  return { status: 'later', about: 'carrier', reason: `${server}: ${reason}`, inDoubt }
}

/** nodemailer says what it does to a logger only. */
function transcript(seen: (kind: unknown) => void) {
  const line = (entry: unknown) => seen((entry as { readonly tnx?: unknown } | null)?.tnx)
  return { level: () => {}, trace: line, debug: line, info: line, warn: line, error: line, fatal: line }
}
