import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser'
import type { Delivery } from '../../notify.ts'
import { definePlugin, type PluginInstance } from '../../plugin.ts'
import type { StagedMail } from '../../stage.ts'

/** A mail that somebody would have got. */
export interface RigMail {
  /** The one whose mailbox it went to: the envelope's recipient. */
  readonly to: string
  /** The addresses that its From, To and Cc show. */
  readonly shown: { readonly from: string; readonly to: readonly string[]; readonly cc: readonly string[] }
  readonly subject: string
  readonly text: string
  /** `null`: it has none. */
  readonly html: string | null
  /** By name in lower case, unfolded. Empty for what no mail plugin wrote. */
  readonly headers: Readonly<Record<string, string>>
  readonly attachments: readonly { readonly name: string; readonly type: string; readonly content: Uint8Array }[]
}

/** One mail for each recipient of the envelope, as their mail programs show it. */
export async function parseMail({ source, to }: StagedMail): Promise<readonly RigMail[]> {
  const mail = await simpleParser(typeof source === 'string' ? source : Buffer.from(source))
  return to.map((one) => ({ ...shownOf(mail), to: one }))
}

/** A carrier of mails for configs without one: what plugins give to `host.notify` is in `rig.mails` as they wrote it. */
export function createPostman(took: (mail: RigMail) => void): PluginInstance {
  return definePlugin({
    name: 'rig/mails',
    kind: 'source', // so that those of the config come first, and take the mails
    needs: ['carriers', 'people'],
    apply(host) {
      host.registerCarrier({
        scheme: 'mail',
        addressOf: async (who) => host.people.mailAddress(who),
        async deliver(delivery) {
          took(asWritten(delivery))
          return { status: 'delivered' }
        },
      })
    },
  })()
}

function asWritten({ address, subject, text, html, attachments = [] }: Delivery): RigMail {
  return {
    to: address,
    shown: { from: '', to: [address], cc: [] },
    subject,
    text,
    html: html ?? null,
    headers: {},
    attachments: attachments.map(({ name, type, base64 }) => ({ name, type, content: Buffer.from(base64, 'base64') })),
  }
}

function shownOf(mail: ParsedMail): Omit<RigMail, 'to'> {
  return {
    shown: { from: addressesOf(mail.from)[0] ?? '', to: addressesOf(mail.to), cc: addressesOf(mail.cc) },
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html === false ? null : mail.html,
    headers: Object.fromEntries(
      mail.headerLines.map(({ key, line }) => [
        key,
        line
          .slice(line.indexOf(':') + 1)
          .replace(/\r?\n\s*/g, ' ')
          .trim(),
      ]),
    ),
    attachments: mail.attachments.map(({ filename = '', contentType, content }) => ({
      name: filename,
      type: contentType,
      content,
    })),
  }
}

function addressesOf(field: AddressObject | AddressObject[] | undefined): readonly string[] {
  return [field ?? []].flat().flatMap(({ value }) => value.map(({ address }) => address ?? ''))
}
