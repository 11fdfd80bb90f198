import { createHash } from 'node:crypto'
import type { BuildFinished, Host, Notice } from 'boltbot/plugin-sdk'
import { parseAddress } from './address.ts'
import { attachmentsOf } from './attachments.ts'
import { bodyOf } from './body.ts'
import type { MailExtra } from './carrier.ts'
import type { BareFacts, Facts } from './facts.ts'
import { htmlOf } from './html.ts'
import type { Mailing } from './options.ts'
import { oneLine } from './plain-text.ts'
import type { Recipients } from './recipients.ts'
import { subjectOf } from './subject.ts'

/** The mail about a finished build. A second call for the same event gives the same Message-ID. */
export async function composeMail(
  host: Pick<Host, 'id' | 'query'>,
  options: Mailing,
  known: BareFacts,
  { to, cc, why, told: alsoTold, untold }: Recipients,
): Promise<Omit<Notice, 'to'>> {
  const facts: Facts = { ...known, alsoTold, untold }
  const { event, project, told } = facts
  const standard = { text: bodyOf(facts), html: htmlOf(facts) }
  const { text, html } = { ...standard, ...(await options.template?.(facts, standard)) }
  const { standing, streak } = told
  const messageId = messageIdOf(host, options, event)
  const followsFirst = streak !== null && streak.first !== messageId
  const extra: MailExtra = {
    to,
    cc,
    messageId,
    ...(streak !== null && {
      inReplyTo: followsFirst ? streak.first : streak.root,
      references: followsFirst ? [streak.root, streak.first] : [streak.root],
    }),
    list: event.builder,
    headers: {
      'X-Boltbot-Builder': header(event.builder),
      'X-Boltbot-Build': `${event.number}`,
      'X-Boltbot-Slave': header(event.slave),
      'X-Boltbot-Branch': header(event.branch ?? ''),
      'X-Boltbot-Result': event.result,
      'X-Boltbot-Previous-Result': event.previousResult ?? 'none',
      'X-Boltbot-Standing': standing,
      'X-Boltbot-Event': `${event.eventId}`,
    },
    why,
  }
  const attachments = await attachmentsOf(host.query, options, facts)
  return {
    key: `build:${event.eventId}`,
    subject: subjectOf({ ...event, project, standing }, streak, options.subject),
    text,
    html,
    ...(streak !== null && { thread: streak.root }),
    ...(attachments.length > 0 && { attachments }),
    extra,
  }
}

/** Two masters or two mail targets of one master must not give two mails one id. */
export function messageIdOf(
  host: Pick<Host, 'id' | 'query'>,
  { fromaddr }: Pick<Mailing, 'fromaddr'>,
  { eventId, at, build }: BuildFinished,
): string {
  const from = parseAddress(fromaddr)?.address ?? fromaddr // checked by the schema
  const parts = JSON.stringify([host.id, host.query.project().name, eventId, at, build])
  const digest = createHash('sha256').update(parts).digest('hex').slice(0, 24)
  return `<boltbot.${eventId}.${digest}@${from.slice(from.lastIndexOf('@') + 1)}>`
}

function header(text: string): string {
  return oneLine(text, 300)
}
