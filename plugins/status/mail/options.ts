import { type Builder, isCertificate, isSecretRef, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { isAddress, parseAddress } from './address.ts'
import type { Facts } from './facts.ts'
import { MODES, type Mode } from './modes.ts'
import type { SubjectFacts } from './subject.ts'

/** How mail goes out. */
export interface MailServerOptions {
  /** Sender: `buildbot@example.org` or `Hello builds <buildbot@example.org>`. */
  readonly fromaddr: string
  /** The mail server; default `localhost`. */
  readonly relayhost?: string | undefined
  /** Default 25; 465 with `tls: 'smtps'`; 587 with `smtpUser`. */
  readonly smtpPort?: number | undefined
  readonly smtpUser?: string | undefined
  readonly smtpPassword?: string | SecretRef | undefined
  /**
   * - `starttls` (default, but on this machine): encrypted after the greeting, the certificate checked; without that no mail is sent.
   * - `smtps`: encrypted from the start, the certificate checked.
   * - `opportunistic`: encrypted where the server offers it, no certificate checked.
   * - `none` (default on this machine): not encrypted.
   */
  readonly tls?: TlsMode | undefined
  /** PEM text of the authority that signed the server's certificate, when it is not a public one. */
  readonly tlsCa?: string | undefined
  /** On every mail beside its own: `{ 'Reply-To': 'ci-team@example.org' }`. */
  readonly extraHeaders?: Readonly<Record<string, string>> | undefined
}

export interface MailOptions extends MailServerOptions {
  /** Which builds; one or several; default `all`. */
  readonly mode?: Mode | readonly Mode[] | undefined
  /** Only of these builders, by object or name. */
  readonly builders?: readonly (Builder | string)[] | undefined
  /** Only of builders of these categories. */
  readonly categories?: readonly string[] | undefined
  /** Only of these branches; `null`: builds without one. */
  readonly branches?: readonly (string | null)[] | undefined
  /** Only builds of these schedulers. */
  readonly schedulers?: readonly string[] | undefined
  /** One mail for each buildset, when all its builds have ended, in place of one for each build. */
  readonly buildSetSummary?: boolean | undefined
  /**
   * Logs as attachments, packed: `true`: those of the step that failed first; a list: those of these steps (`'compile'`), or single
   * ones (`'compile.stdio'`). Default false: only the end of one stands in the text. All together at most 1 MiB packed.
   */
  readonly addLogs?: boolean | readonly string[] | undefined
  /** Whether the patch of a try build is attached; default true. */
  readonly addPatch?: boolean | undefined
  /** Always told, in Cc. */
  readonly extraRecipients?: readonly string[] | undefined
  /** Whether those are told whose changes are in the build; default true. */
  readonly sendToInterestedUsers?: boolean | undefined
  /** The mail address for the `who` of a change, `null` for none; default: as `people` in the config says. */
  readonly lookup?: ((who: string) => string | null | Promise<string | null>) | undefined
  /** The subject line; default: `[first failure] Hello: full (main), broken since #12`. */
  readonly subject?: ((facts: SubjectFacts) => string) | undefined
  /** Text and HTML in place of the standard ones, which it is given; what it leaves out stays. */
  readonly template?: Template | undefined
}

export type TlsMode = (typeof TLS_MODES)[number]
const TLS_MODES = ['none', 'opportunistic', 'starttls', 'smtps'] as const

/** @example ({ event }, standard) => ({ text: `${event.builder}: ${event.result}\n\n${standard.text}` }) */
export type Template = (facts: Facts, standard: MailText) => Partial<MailText> | Promise<Partial<MailText>>
export interface MailText {
  readonly text: string
  readonly html: string
}

/** Options of the server after the check. */
export interface Connection extends Pick<MailServerOptions, 'smtpUser' | 'smtpPassword' | 'tlsCa'> {
  readonly fromaddr: string
  readonly relayhost: string
  readonly smtpPort: number
  readonly tls: TlsMode
  readonly extraHeaders: Readonly<Record<string, string>>
}

/** Options after the check. */
export interface Mailing extends Connection, Pick<MailOptions, 'lookup' | 'subject' | 'template'> {
  readonly schedulers: readonly string[] | null
  readonly buildSetSummary: boolean
  readonly addLogs: boolean | readonly string[]
  readonly addPatch: boolean
  readonly mode: readonly Mode[]
  readonly builders: readonly string[] | null
  readonly categories: readonly string[] | null
  readonly branches: readonly (string | null)[] | null
  readonly extraRecipients: readonly string[]
  readonly sendToInterestedUsers: boolean
}

const text = z.string('Give a text.').min(1, 'Give a text that is not empty.')
const mode = z.enum(MODES, `Give one of ${MODES.join(', ')}, or a list of them.`)

const header =
  /^(?!(?:from|to|cc|bcc|sender|date|message-id|in-reply-to|references|subject|content-.*|mime-version)$)[!-9;-~]{1,70}$/i

const serverFields = {
  fromaddr: text.refine(
    (value) => parseAddress(value) !== undefined,
    "Give one address, as in 'buildbot@example.org' or 'Hello builds <buildbot@example.org>'.",
  ),
  relayhost: text.regex(/^[A-Za-z0-9._:[\]-]+$/, 'Give the name or address of a host.').default('localhost'),
  smtpPort: z.int('Give a port number.').min(1, 'Give a port number.').max(65_535, 'Give a port number.').optional(),
  smtpUser: text.optional(),
  smtpPassword: z
    .custom<string | SecretRef>((value) => typeof value === 'string' || isSecretRef(value), "Give secret('name').")
    .optional(),
  tls: z.enum(TLS_MODES, `Give one of ${TLS_MODES.join(', ')}.`).optional(),
  tlsCa: text
    .refine(isCertificate, 'Give the PEM text of a certificate, as readFileSync(file, "utf8") gives it.')
    .optional(),
  extraHeaders: z
    .record(
      z
        .string()
        .regex(
          header,
          "Give a header of your own, as in 'Reply-To': not From, To, Subject or another that each mail has.",
        ),
      z.string().regex(/^\P{Cc}{1,900}$/u, 'Give one line of text.'),
    )
    .default({}),
}

/** What fits together of user, password, port and encryption. */
function completed<Given extends ServerGiven>(given: Given) {
  const tls = given.tls ?? (isThisMachine(given.relayhost) ? 'none' : 'starttls')
  const standardPort = tls === 'smtps' ? 465 : given.smtpUser === undefined ? 25 : 587
  return { ...given, tls, smtpPort: given.smtpPort ?? standardPort }
}

interface ServerGiven extends Pick<MailServerOptions, 'smtpUser' | 'smtpPassword' | 'smtpPort' | 'tls'> {
  readonly relayhost: string
}

const bothOrNone = ({ smtpUser, smtpPassword }: ServerGiven) =>
  (smtpUser === undefined) === (smtpPassword === undefined)
const BOTH = { path: ['smtpPassword'], message: 'Give smtpUser and smtpPassword, both or none.' }
const notInTheOpen = ({ smtpUser, tls, relayhost }: ServerGiven) =>
  smtpUser === undefined || tls !== 'none' || isThisMachine(relayhost)
const IN_THE_OPEN = {
  path: ['tls'],
  message: "The password would go over the network unencrypted. Use 'starttls' or 'smtps'.",
}

export const mailServerSchema: Schema<MailServerOptions, Connection> = z
  .strictObject(serverFields)
  .refine(bothOrNone, BOTH)
  .transform(completed)
  .refine(notInTheOpen, IN_THE_OPEN)

export const mailSchema: Schema<MailOptions, Mailing> = z
  .strictObject({
    ...serverFields,
    mode: z
      .union([mode, z.array(mode).min(1)], `Give one of ${MODES.join(', ')}, or a list of them.`)
      .default('all')
      .transform((value) => (typeof value === 'string' ? [value] : value)),
    builders: z
      .array(z.custom<Builder | string>(isBuilder, 'Give a builder or the name of one.'))
      .transform((list) => list.map((item) => (typeof item === 'string' ? item : item.name)))
      .optional(),
    categories: z.array(text, 'Give a list of categories.').optional(),
    branches: z.array(text.nullable(), "Give a list of branches, as in ['main'].").optional(),
    schedulers: z.array(text, 'Give a list of names of schedulers.').optional(),
    buildSetSummary: z.boolean('Give true or false.').default(false),
    addLogs: z
      .union([z.boolean(), z.array(text)], "Give true, false, or a list of steps or logs: ['compile', 'test.stdio'].")
      .default(false),
    addPatch: z.boolean('Give true or false.').default(true),
    extraRecipients: z
      .array(
        z.string().refine(isAddress, "Give plain addresses, as in 'team@example.org'."),
        "Give a list of addresses, as in ['team@example.org'].",
      )
      .default([]),
    sendToInterestedUsers: z.boolean('Give true or false.').default(true),
    lookup: z
      .custom<NonNullable<MailOptions['lookup']>>(isFunction, 'Give a function from the who of a change to an address.')
      .optional(),
    subject: z
      .custom<NonNullable<MailOptions['subject']>>(isFunction, 'Give a function that returns the subject.')
      .optional(),
    template: z.custom<Template>(isFunction, 'Give a function that returns text, html or both.').optional(),
  })
  .refine(bothOrNone, BOTH)
  .transform((given) => {
    const { builders = null, categories = null, branches = null, schedulers = null } = given
    return { ...completed(given), builders, categories, branches, schedulers }
  })
  .refine(notInTheOpen, IN_THE_OPEN)

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

function isBuilder(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'builder'
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
