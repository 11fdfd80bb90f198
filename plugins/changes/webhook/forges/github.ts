import { z } from 'zod'
import { isHmac } from '../signature.ts'
import type { Commit, Forge, News, Push } from './forge.ts'
import { commitOf, LISTED_COMMIT } from './listed-commit.ts'
import { branchOf, list, oldestFirst, optional, payloadOf, pick, realCommit } from './payload.ts'

/** Webhooks of github.com and GitHub Enterprise. */
export const github: Forge = {
  title: 'GitHub',
  isSigned: ({ headers, body }, secret) => isHmac(headers['x-hub-signature-256'], secret, body, 'sha256='),
  read(request) {
    const event = request.headers['x-github-event'] ?? 'no'
    if (event === 'push') return readPush(pick(PUSH, payloadOf(request), 'push of GitHub'), MOST_COMMITS)
    if (event === 'pull_request') return readPullRequest(payloadOf(request), 'pull request of GitHub')
    return { kind: 'nothing', why: event === 'ping' ? 'this is only a ping' : `it is a "${event}" event` }
  },
}

/** GitHub sends no more, and does not say how many there are. */
const MOST_COMMITS = 2048

const COMMIT = LISTED_COMMIT.extend({ distinct: optional(z.boolean()) })

const REPOSITORY = z.object({
  full_name: z.string(),
  clone_url: optional(z.string()),
  ssh_url: optional(z.string()),
  html_url: optional(z.string()),
})

/** Gitea's are like it, with a count. */
export const PUSH = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  created: optional(z.boolean()),
  deleted: optional(z.boolean()),
  commits: list(COMMIT),
  total_commits: optional(z.number()),
  head_commit: optional(COMMIT),
  repository: REPOSITORY,
})

export function readPush(payload: z.infer<typeof PUSH>, mostCommits: number): News {
  const branch = branchOf(payload.ref)
  if (branch === null) return { kind: 'nothing', why: `"${payload.ref}" is neither a branch nor a tag` }
  const after = payload.deleted ? null : realCommit(payload.after)
  const before = payload.created ? null : realCommit(payload.before)
  const isTag = branch.startsWith('refs/tags/')
  const head = payload.head_commit
  // Of an annotated tag "after" is the tag itself; the commit it names is what is built.
  const at = after === null ? null : isTag ? (head?.id ?? after) : after
  const push: Push = {
    branch,
    before,
    after: at,
    ...commitsOf(payload, { isTag, isNew: before === null, at, mostCommits }),
  }
  return { kind: 'pushes', repository: repositoryOf(payload.repository), pushes: [push] }
}

function commitsOf(
  { commits, total_commits, head_commit }: z.infer<typeof PUSH>,
  { isTag, isNew, at, mostCommits }: { isTag: boolean; isNew: boolean; at: string | null; mostCommits: number },
): Pick<Push, 'commits' | 'missing'> {
  if (at === null) return { commits: [], missing: null }
  // What a new branch shares with others is no news; its head is, whatever it shares.
  const listed = isTag ? [] : commits.filter((commit) => !isNew || commit.distinct !== false)
  const wanted = listed.length === 0 && (isTag || isNew) && head_commit ? [head_commit] : listed
  const found = oldestFirst(wanted.map(commitOf), at)
  const hasHead = commits.length === 0 || commits.some(({ id }) => id === at)
  const isCut = !isTag && (!hasHead || commits.length < (total_commits ?? 0) || commits.length >= mostCommits)
  if (isCut) return { commits: found, missing: 'commits' }
  if (found.length === 0 && (isTag || isNew)) return { commits: [bare(at)], missing: 'details' }
  return { commits: found, missing: wanted.some(({ added }) => added === undefined) ? 'details' : null }
}

/** A head of which only the name is known. */
const bare = (revision: string): Commit => ({ revision, who: 'unknown', comments: '', files: [] })

const repositoryOf = ({ full_name, clone_url, ssh_url, html_url }: z.infer<typeof REPOSITORY>) => ({
  fullName: full_name,
  addresses: [clone_url, ssh_url, html_url].filter((url) => url !== undefined),
})

const END = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: optional(z.object({ full_name: z.string() })),
})
const PULL_REQUEST = z.object({
  action: z.string(),
  number: z.number(),
  pull_request: z.object({
    title: z.string(),
    body: optional(z.string()),
    html_url: optional(z.string()),
    user: optional(z.object({ login: z.string() })),
    head: END,
    base: END,
  }),
  repository: REPOSITORY,
})
/** Only these bring commits. The last is Gitea's. */
const ACTIONS = ['opened', 'reopened', 'synchronize', 'synchronized']

export function readPullRequest(payload: unknown, what: string): News {
  const { action, number, pull_request, repository } = pick(PULL_REQUEST, payload, what)
  if (!ACTIONS.includes(action)) return { kind: 'nothing', why: `the pull request was ${action.replaceAll('_', ' ')}` }
  const { title, body, html_url, user, head, base } = pull_request
  return {
    kind: 'pullRequest',
    repository: repositoryOf(repository),
    pullRequest: {
      number,
      title,
      text: body ?? '',
      url: html_url ?? null,
      who: user?.login ?? 'unknown',
      branch: `refs/pull/${number}/head`,
      revision: head.sha,
      source: { repository: head.repo?.full_name ?? '', branch: head.ref },
      target: base.ref,
    },
  }
}
