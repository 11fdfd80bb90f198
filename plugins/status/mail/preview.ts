import type { BuildFinished, BuildView, Host } from 'boltbot/plugin-sdk'
import { mailOf } from './carrier.ts'
import { composeMail } from './compose.ts'
import { factsOf } from './facts.ts'
import type { Mailing } from './options.ts'
import { recipientsOf } from './recipients.ts'
import { isRed } from './streaks.ts'

/** The mail about a finished build as it would go out now; `null`: it has not finished, or nobody would get it. */
export async function previewOf(host: Host, options: Mailing, build: BuildView): Promise<string | null> {
  if (build.result === null || build.finishedAt === null) return null
  const event = await eventOf(host, build, build.result, build.finishedAt)
  const standing = isRed(event.result) && !isRed(event.previousResult) ? 'first failure' : event.result
  const facts = await factsOf(host, event, async () => ({ standing, streak: null }))
  const recipients = await recipientsOf(host, options, event)
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

/** The event as it was told, without its id; what was before is looked up. */
async function eventOf(
  { query }: Host,
  build: BuildView,
  result: BuildFinished['result'],
  at: number,
): Promise<BuildFinished> {
  const { sourceStamp, changes, id, builder, number, slave, requests, blamelist, reason, text, startedAt } = build
  const { branch, revision } = sourceStamp
  const older = await query.builds({ builder, before: id, limit: 50 })
  const before = older.find(
    (one) =>
      one.sourceStamp.branch === branch && one.result !== null && one.result !== 'retry' && one.result !== 'cancelled',
  )
  const facts = { builder, number, slave, requests, blamelist, reason, text, startedAt, branch, revision, result }
  return {
    ...facts,
    eventId: 0,
    at,
    build: id,
    changes: changes.map((change) => change.id),
    previousResult: before?.result ?? null,
  }
}
