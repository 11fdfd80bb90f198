import type { ChangeInput } from 'boltbot/plugin-sdk'

/** A mail, decoded: no NUL characters, lines end with `\n`. */
export interface CommitMail {
  /** `null` when it names no sender. */
  readonly from: { readonly name: string; readonly address: string } | null
  /** `''` when there is none. */
  readonly subject: string
  readonly messageId: string | null
  /** The `Date` header, ms; `null` when there is none that can be read. */
  readonly date: number | null
  /** When it was delivered, ms. */
  readonly received: number
  /** The first `text/plain` part; `''` when there is none. Attachments are left out. */
  readonly text: string
  /** Another header by its name in any case; `null` when there is none. */
  header(name: string): string | null
}

/** What a parser says of a mail that is no commit. */
export interface Ignored {
  readonly ignored: string
}

/** Settings of the source that parsers may heed. */
export interface ParserSettings {
  /** From the mail's name of a branch to the name that changes get. */
  readonly branchMap: Readonly<Record<string, string | null>>
  /** For branches that `branchMap` does not have. */
  readonly defaultBranch: string | null
}

/**
 * Makes a change of a mail. Files are as the mail names them: the source strips its prefix. A change without files is ignored.
 * What it throws stands beside the mail in the folder `failed`.
 *
 * @example
 * const mine: MailParser = (mail) =>
 *   mail.subject.startsWith('Re: ') ? ignore('a reply') : { who: mail.header('X-Author') ?? '', files: mail.text.split('\n'), comments: '' }
 */
export type MailParser = (mail: CommitMail, settings: ParserSettings) => ChangeInput | Ignored

/** The mail is no commit: it is put away without a warning. */
export function ignore(reason: string): Ignored {
  return { ignored: reason }
}
