import { type BuildFinished, definePlugin, type Host } from 'boltbot/plugin-sdk'
import { createDelivery } from './delivery.ts'
import { examineServer } from './doctor.ts'
import { isDue } from './modes.ts'
import { type Mailing, mailSchema } from './options.ts'
import { createSmtp } from './smtp.ts'

export type { Mode } from './modes.ts'
export type { MailOptions, TlsMode } from './options.ts'
export type { SubjectFacts } from './subject.ts'

/**
 * Mails the result of a build to those whose changes are in it. A mail that cannot be handed over is tried until it can.
 * @example
 * mailNotifier({ fromaddr: 'buildbot@example.org', relayhost: 'mail.example.org', mode: 'problem',
 *   smtpUser: 'buildbot', smtpPassword: secret('smtp'), extraRecipients: ['team@example.org'] })
 */
export const mailNotifier = definePlugin({
  name: 'status/mail',
  kind: 'status',
  durable: true,
  schema: mailSchema,
  doctor: examineServer,
  apply(host, options) {
    const { smtpPassword } = options
    const smtp = createSmtp(options, () => smtpPassword && host.secrets.resolve(smtpPassword))
    const delivery = host.own(createDelivery(host, options, smtp))
    host.tap('buildFinished', async (event) => {
      if (isDue(options.mode, event) && (await passes(host, options, event))) await delivery.deliver(event)
    })
  },
})

async function passes(host: Host, { builders, categories, branches }: Mailing, event: BuildFinished): Promise<boolean> {
  if (builders !== null && !builders.includes(event.builder)) return false
  if (branches !== null && !branches.includes(event.branch)) return false
  if (categories === null) return true
  const category = (await host.query.builder(event.builder))?.category
  return typeof category === 'string' && categories.includes(category)
}
