import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Duration, definePlugin, durationMs, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { examineRepository } from './doctor.ts'
import { createGit } from './git-process.ts'
import { createMirror } from './mirror.ts'
import { createPoll, type PollOptions } from './poll.ts'

export interface GitPollerOptions {
  /** URL or path, as git takes it. */
  readonly repourl: string
  /** Names, names with `*` for anything (`feature/*`), or `true` for all. */
  readonly branches: readonly string[] | true
  /** Default 10 minutes. */
  readonly pollInterval?: Duration | undefined
  /** Default true. */
  readonly pollAtLaunch?: boolean | undefined
  readonly project?: string | undefined
  readonly category?: string | undefined
  readonly codebase?: string | undefined
  /** The git program; default `git`. */
  readonly gitbin?: string | undefined
  /** The page of a revision. */
  readonly revlink?: ((revision: string) => string) | undefined
}

const text = z.string('Give a text.')
/** Options after the check. */
interface CheckedPoller extends PollOptions {
  readonly pollInterval: Duration
  readonly pollAtLaunch: boolean
  readonly gitbin: string
}

const schema: Schema<GitPollerOptions, CheckedPoller> = z.strictObject({
  repourl: text
    .min(1, 'Give the URL or path of the repository.')
    .refine((url) => !url.startsWith('-'), 'A URL or path does not begin with "-".'),
  branches: z.custom<readonly string[] | true>(
    (value) =>
      value === true ||
      (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && item !== '')),
    "Give a list of branches, as in ['main', 'feature/*'], or true for all.",
  ),
  pollInterval: z
    .custom<Duration>(
      (value) => (durationMs(value as Duration) ?? 0) > 0, // any value may be asked
      "Give seconds, or text such as '90s' or '10m'.",
    )
    .default('10m'),
  pollAtLaunch: z.boolean('Give true or false.').default(true),
  project: text.optional(),
  category: text.optional(),
  codebase: text.optional(),
  gitbin: text.min(1, 'Give the path of the git program.').default('git'),
  revlink: z
    .custom<(revision: string) => string>(
      (value) => typeof value === 'function',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is shown as code
      'Give a function, as in (revision) => `https://example.org/commit/${revision}`.',
    )
    .optional(),
})

/**
 * Asks a git repository for new commits and hands in each as a change. The first poll only notes where the branches are.
 * @example gitPoller({ repourl: 'https://git.example.org/hello.git', branches: ['main', 'feature/*'], pollInterval: '2m' })
 */
export const gitPoller = definePlugin({
  name: 'vc/git',
  kind: 'source',
  schema,
  id: ({ repourl }) => `git ${withoutSecrets(repourl)}`,
  doctor(doctor, { repourl, gitbin }) {
    const repository = withoutSecrets(repourl)
    return examineRepository(doctor, createGit(gitbin, new Map([[repourl, repository]])), { repourl, repository })
  },
  apply(host, options) {
    const { repourl, pollInterval, pollAtLaunch, gitbin } = options
    const repository = withoutSecrets(repourl)
    const git = createGit(gitbin, new Map([[repourl, repository]]))
    // One folder per repository: an id may be given to another one later.
    const folder = `${createHash('sha256').update(repourl).digest('hex').slice(0, 16)}.git`
    host.registerPoller({
      name: repository,
      interval: pollInterval,
      pollAtLaunch,
      deadline: '30m', // the first fetch of a large repository
      async poll({ signal }) {
        const mirror = createMirror({ git, repourl, path: join(await host.directory(), folder) })
        await createPoll({ host, git, mirror, repository, options })(signal)
      },
    })
  },
})

/** The URL as it may be stored and shown: without password, and without the user of a web address, who may be a token. */
function withoutSecrets(repourl: string): string {
  return repourl.replace(/^(https?:\/\/)[^/@]*@/i, '$1').replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/@]*@/i, '$1@')
}
