import { createHash } from 'node:crypto'
import type { BuildFinished, Host } from 'boltbot/plugin-sdk'
import { parseAddress } from './address.ts'
import { bodyOf, type FailingStep } from './body.ts'
import type { Mailing } from './options.ts'
import { oneLine } from './plain-text.ts'
import type { Recipients } from './recipients.ts'
import type { Message } from './smtp.ts'
import { subjectOf } from './subject.ts'

/** The mail about a finished build. A second call for the same event gives the same Message-ID. */
export async function composeMail(
  host: Pick<Host, 'id' | 'query'>,
  options: Mailing,
  event: BuildFinished,
  { to, cc }: Recipients,
): Promise<Message> {
  const { name: project, url: projectURL } = host.query.project()
  const build = await host.query.build(event.build)
  const failing = await failingStep(host, event, build?.steps ?? [])
  const from = parseAddress(options.fromaddr) ?? { name: '', address: options.fromaddr } // checked by the schema
  return {
    from,
    to,
    cc,
    subject: subjectOf({ ...event, project }, options.subject),
    text: bodyOf({ project, projectURL, event, build, failing }),
    date: new Date(event.at),
    messageId: messageIdOf(host.id, project, event, from.address),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Boltbot-Project': header(project),
      'X-Boltbot-Builder': header(event.builder),
      'X-Boltbot-Build': `${event.number}`,
      'X-Boltbot-Slave': header(event.slave),
      'X-Boltbot-Branch': header(event.branch ?? ''),
      'X-Boltbot-Result': event.result,
      'X-Boltbot-Previous-Result': event.previousResult ?? 'none',
      'X-Boltbot-Event': `${event.eventId}`,
    },
  }
}

async function failingStep(
  host: Pick<Host, 'query'>,
  { build, result }: BuildFinished,
  steps: NonNullable<Awaited<ReturnType<Host['query']['build']>>>['steps'],
): Promise<FailingStep | undefined> {
  const bad = result === 'warnings' ? ['warnings'] : ['failure', 'exception']
  const step = steps.find((one) => one.result !== null && bad.includes(one.result))
  if (step === undefined || result === 'success') return undefined
  const { number, name, text, logs } = step
  const log = logs.includes('stdio') ? 'stdio' : (logs[0] ?? 'stdio')
  const tail = await host.query.logTail({ build, step: number, log }, 30)
  return { number, name, text, log, tail }
}

/** Two masters or two mail targets of one master must not give two mails one id. */
function messageIdOf(plugin: string, project: string, { eventId, at, build }: BuildFinished, from: string): string {
  const parts = JSON.stringify([plugin, project, eventId, at, build])
  const digest = createHash('sha256').update(parts).digest('hex').slice(0, 24)
  return `<boltbot.${eventId}.${digest}@${from.slice(from.lastIndexOf('@') + 1)}>`
}

function header(text: string): string {
  return oneLine(text, 300)
}
