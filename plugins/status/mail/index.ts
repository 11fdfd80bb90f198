import { type BuildFinished, definePlugin, type Host } from 'boltbot/plugin-sdk'
import { noteDue, tellBuildset } from './buildset-summary.ts'
import { createMailCarrier } from './carrier.ts'
import { composeMail, messageIdOf } from './compose.ts'
import { examineServer } from './doctor.ts'
import { factsOf } from './facts.ts'
import { isDue } from './modes.ts'
import { type Connection, type Mailing, mailSchema, mailServerSchema } from './options.ts'
import { passes } from './passes.ts'
import { previewOf } from './preview.ts'
import { everybody, interestingOf, recipientsOf } from './recipients.ts'
import { createSmtp, type Smtp } from './smtp.ts'
import { createStagedSmtp } from './staged-smtp.ts'
import { noteStreak } from './streaks.ts'
import { tellsOf } from './tells.ts'

export type { Facts, FailingStep } from './facts.ts'
export type { Mode } from './modes.ts'
export type { MailOptions, MailServerOptions, MailText, Template, TlsMode } from './options.ts'
export type { Standing, Streak, Told } from './streaks.ts'
export type { SubjectFacts } from './subject.ts'

/**
 * Mails the result of a build to those whose changes are in it. A mail waits in the outbox until the server takes it.
 * @example
 * mailNotifier({ fromaddr: 'buildbot@example.org', relayhost: 'mail.example.org', mode: 'problem',
 *   smtpUser: 'buildbot', smtpPassword: secret('smtp'), extraRecipients: ['team@example.org'] })
 */
export const mailNotifier = definePlugin({
  name: 'status/mail',
  kind: 'status',
  needs: ['carriers', 'notify', 'people', 'secrets', 'state'],
  durable: true,
  schema: mailSchema,
  doctor: (doctor, options: Mailing) => examineServer(doctor, options),
  preview: previewOf,
  tells: tellsOf,
  apply: (host, options) => notifier(host, options, smtpOf(host, options)),
  onStage: (stage) => ({ apply: (host, options) => notifier(host, options, createStagedSmtp(stage)) }),
})

/**
 * Carries mails of others: of missing slaves, of the master itself. Not needed beside a `mailNotifier`, whose server serves all.
 * @example mailServer({ fromaddr: 'buildbot@example.org', relayhost: 'mail.example.org' })
 */
export const mailServer = definePlugin({
  name: 'status/mail-server',
  kind: 'status',
  needs: ['carriers', 'people', 'secrets'],
  schema: mailServerSchema,
  doctor: examineServer,
  apply: (host, options) => carry(host, options, smtpOf(host, options)),
  onStage: (stage) => ({ apply: (host, options) => carry(host, options, createStagedSmtp(stage)) }),
})

function notifier(host: Host, options: Mailing, smtp: Smtp): void {
  carry(host, options, smtp)
  if (options.buildSetSummary) host.tap('buildsetFinished', (event) => tellBuildset(host, options, event))
  host.tap('buildFinished', async (event) => {
    if (!(await passes(host.query, options, event))) return 'passed'
    await tell(host, options, event)
    return undefined
  })
}

const smtpOf = (host: Host, options: Connection) =>
  createSmtp(options, () => options.smtpPassword && host.secrets.resolve(options.smtpPassword), host.clock)

function carry(host: Host, options: Connection, smtp: Smtp): void {
  host.own(smtp)
  host.registerCarrier(createMailCarrier(host, options, smtp))
}

async function tell(host: Host, options: Mailing, event: BuildFinished): Promise<void> {
  const messageId = messageIdOf(host, options, event)
  const facts = await factsOf(host, event, (kind) => noteStreak(host, event, kind, messageId))
  if (!isDue(options.mode, event, facts.told.standing)) return
  if (options.buildSetSummary) return noteDue(host, event, facts.told.standing)
  const recipients = await recipientsOf(host, options, [interestingOf(event)])
  const to = everybody(recipients)
  if (to.length === 0) return
  await host.notify({ ...(await composeMail(host, options, facts, recipients)), to })
}
