import { type Duration, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { prefixField } from '../prefix.ts'
import type { MailParser } from './mail.ts'

export interface MaildirOptions {
  /** The maildir: a folder with `new`, `cur` and `tmp`. Of this source alone, as it moves what it has handled. */
  readonly path: string
  /** `freshcvs`, `syncmail`, `bonsai`, `svnCommitEmail`, `buildbotCvsMail`, `bzrLaunchpad`, or a function of your own. */
  readonly parser: MailParser
  /** A folder, stripped from the front of all file names; files outside of it are left out. Default: none. */
  readonly prefix?: string | undefined
  /** For changes whose mail names none. */
  readonly category?: string | undefined
  /** As above. */
  readonly repository?: string | undefined
  /** As above. */
  readonly project?: string | undefined
  /** As above. */
  readonly codebase?: string | undefined
  /** For `bzrLaunchpad` and parsers of your own: from the mail's name of a branch (`lp:~…`) to the branch of the change. */
  readonly branchMap?: Readonly<Record<string, string | null>> | undefined
  /** For those: the branch when `branchMap` does not have the mail's. Default `null`. */
  readonly defaultBranch?: string | null | undefined
  /** Between scans of the folder; default 10 seconds. */
  readonly pollInterval?: Duration | undefined
  /** Whether file events start a scan at once. Default true; false where there are none, as on a network file system. */
  readonly watch?: boolean | undefined
}

/** Options after the check. */
export interface CheckedMaildir
  extends Pick<MaildirOptions, 'path' | 'parser' | 'category' | 'repository' | 'project' | 'codebase'> {
  /** Ends with `/`, or is empty. */
  readonly prefix: string
  readonly branchMap: Readonly<Record<string, string | null>>
  readonly defaultBranch: string | null
  /** In ms. */
  readonly pollInterval: number
  readonly watch: boolean
}

const text = z.string('Give a text.').min(1, 'Give a text that is not empty.')

export const maildirSchema: Schema<MaildirOptions, CheckedMaildir> = z.strictObject({
  path: text.refine((path) => !path.includes('\0'), 'A path holds no NUL character.'),
  parser: z.custom<MailParser>(
    (value) => typeof value === 'function',
    'Give one of freshcvs, syncmail, bonsai, svnCommitEmail, buildbotCvsMail, bzrLaunchpad, or a function of your own.',
  ),
  prefix: prefixField,
  category: text.optional(),
  repository: text.optional(),
  project: text.optional(),
  codebase: text.optional(),
  branchMap: z
    .record(z.string(), text.nullable(), "Give branches by the mail's name, as in { 'lp:~jane/hello/trunk': 'trunk' }.")
    .default({}),
  defaultBranch: text.nullable().default(null),
  pollInterval: z
    .custom<Duration>(
      (value) => (durationMs(value as Duration) ?? 0) > 0, // any value may be asked
      "Give seconds, or text such as '10s' or '1m'.",
    )
    .default('10s')
    .transform((value) => durationMs(value) ?? 0),
  watch: z.boolean('Give true or false.').default(true),
})
