import { type BuildView, type Host, pastBuild } from 'boltbot/plugin-sdk'
import { mailOf } from './carrier.ts'
import { composeMail } from './compose.ts'
import { factsOf } from './facts.ts'
import type { Mailing } from './options.ts'
import { interestingOf, recipientsOf } from './recipients.ts'
import { standingAfter } from './streaks.ts'

/** The mail about a finished build as it would go out now; `null`: it has not finished, or nobody would get it. */
export async function previewOf(host: Host, options: Mailing, build: BuildView): Promise<string | null> {
  const past = await pastBuild(host.query, build)
  if (past === null) return null
  const { event, before } = past
  const standing = standingAfter(build, event, before)
  const facts = await factsOf(host, event, async () => ({ standing, streak: null }))
  const recipients = await recipientsOf(host, options, [interestingOf(event)])
  const [first] = [...recipients.to, ...recipients.cc]
  if (first === undefined) return null
  const notice = await composeMail(host, options, facts, recipients)
  const { urgency = 'normal', key: _, ...rest } = notice
  const delivery = {
    ...rest,
    urgency,
    id: 0,
    ref: 'preview',
    address: first,
    attempt: 1,
    inDoubt: false,
    createdAt: event.at,
  }
  const mail = mailOf(delivery, options, facts.project)
  const head = [
    `From: ${mail.from.name === '' ? mail.from.address : `${mail.from.name} <${mail.from.address}>`}`,
    `To: ${mail.to.join(', ')}`,
    ...(mail.cc.length === 0 ? [] : [`Cc: ${mail.cc.join(', ')}`]),
    `Subject: ${mail.subject}`,
    `Message-ID: ${mail.messageId}`,
    ...Object.entries(mail.headers).map(([name, value]) => `${name}: ${value}`),
    ...mail.attachments.map(({ name, base64 }) => `Attachment: ${name}, ${Math.floor((base64.length * 3) / 4)} bytes`),
  ]
  return `${head.join('\n')}\n\n${mail.text}\n${mail.html ?? ''}`
}
