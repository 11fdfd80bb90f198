import { createTransport } from 'nodemailer'
import type { Address } from './address.ts'
import { mailServerFailed } from './errors.ts'
import type { Mailing } from './options.ts'

export interface Message {
  readonly from: Address
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly subject: string
  readonly text: string
  readonly date: Date
  readonly messageId: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the server said to each recipient it was asked for. */
export interface Answers {
  readonly accepted: readonly string[]
  /** For good. */
  readonly refused: readonly Refusal[]
  /** For now. */
  readonly deferred: readonly Refusal[]
}
export interface Refusal {
  readonly address: string
  readonly reason: string
}

/** One conversation with the mail server for each call: nothing is left open. */
export interface Smtp {
  readonly server: string
  /**
   * Hands over a message for some of its recipients.
   * @throws CiError `BOLT_MAIL_SERVER` when the server cannot be spoken to.
   */
  send(message: Message, recipients: readonly string[], signal: AbortSignal): Promise<Answers>
}

const MINUTE_MS = 60_000

export function createSmtp(options: Mailing, password: () => string | undefined): Smtp {
  const { relayhost: host, smtpPort: port, smtpUser: user, tls, tlsCa } = options
  const server = `${host}:${port}`

  return {
    server,
    async send({ to, cc, headers, ...message }, recipients, signal) {
      const transport = createTransport({
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
      })
      try {
        const sent = await transport.sendMail({
          ...message,
          to: [...to],
          cc: [...cc],
          headers: { ...headers },
          envelope: { from: message.from.address, to: [...recipients] },
          signal,
        })
        return { accepted: sent.accepted.map(addressOf), ...sorted(sent.rejectedErrors ?? []) }
      } catch (error) {
        return answersOf(error as SmtpError, recipients, server) // its own errors look so; others lack the fields
      } finally {
        transport.close()
      }
    },
  }
}

/** What nodemailer tells of a failure. */
interface SmtpError extends Error {
  readonly code?: string | undefined
  readonly responseCode?: number | undefined
  readonly response?: string | undefined
  readonly recipient?: string | undefined
  readonly rejectedErrors?: readonly SmtpError[] | undefined
}

function answersOf(error: SmtpError, recipients: readonly string[], server: string): Answers {
  if (error.rejectedErrors && error.rejectedErrors.length > 0) return { accepted: [], ...sorted(error.rejectedErrors) }
  const aboutMessage = error.code === 'EENVELOPE' || error.code === 'EMESSAGE'
  if (!aboutMessage) throw mailServerFailed(server, error)
  const all = recipients.map((address) => ({ address, reason: error.response ?? error.message }))
  const isForNow = error.responseCode !== undefined && error.responseCode < 500
  return { accepted: [], refused: isForNow ? [] : all, deferred: isForNow ? all : [] }
}

function sorted(errors: readonly SmtpError[]): Pick<Answers, 'refused' | 'deferred'> {
  const refusals = errors.map(({ recipient = '', response, message, responseCode = 550 }) => ({
    address: recipient,
    reason: response ?? message,
    isForNow: responseCode < 500,
  }))
  const plain = ({ address, reason }: Refusal) => ({ address, reason })
  return {
    refused: refusals.filter(({ isForNow }) => !isForNow).map(plain),
    deferred: refusals.filter(({ isForNow }) => isForNow).map(plain),
  }
}

function addressOf(item: string | { readonly address: string }): string {
  return typeof item === 'string' ? item : item.address
}
