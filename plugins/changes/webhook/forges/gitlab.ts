import { z } from 'zod'
import { isSame } from '../signature.ts'
import type { Commit, Forge, News, Push } from './forge.ts'
import { commitOf, LISTED_COMMIT } from './listed-commit.ts'
import { branchOf, list, oldestFirst, optional, payloadOf, person, pick, realCommit, whoOf } from './payload.ts'

/** Webhooks of GitLab. It sends the secret itself along. */
export const gitlab: Forge = {
  title: 'GitLab',
  isSigned: ({ headers }, secret) => isSame(headers['x-gitlab-token'] ?? '', secret),
  read(request) {
    const payload = payloadOf(request)
    const { object_kind: kind } = pick(KIND, payload, 'webhook of GitLab')
    if (kind === 'push' || kind === 'tag_push') return readPush(pick(PUSH, payload, 'push of GitLab'))
    if (kind === 'merge_request') return readMergeRequest(pick(MERGE_REQUEST, payload, 'merge request of GitLab'))
    return { kind: 'nothing', why: `it is a "${kind}" event` }
  },
}

const KIND = z.object({ object_kind: z.string() })

const PROJECT = z.object({
  path_with_namespace: z.string(),
  git_http_url: optional(z.string()),
  git_ssh_url: optional(z.string()),
  web_url: optional(z.string()),
})

const PUSH = z.object({
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  checkout_sha: optional(z.string()),
  message: optional(z.string()),
  user_name: optional(z.string()),
  user_email: optional(z.string()),
  commits: list(LISTED_COMMIT),
  total_commits_count: optional(z.number()),
  project: PROJECT,
})

function readPush(payload: z.infer<typeof PUSH>): News {
  const { ref, commits, total_commits_count, project } = payload
  const branch = branchOf(ref)
  if (branch === null) return { kind: 'nothing', why: `"${ref}" is neither a branch nor a tag` }
  const isTag = branch.startsWith('refs/tags/')
  // Of an annotated tag "after" is the tag itself, the other one the commit it names.
  const after = realCommit(payload.after) === null ? null : (payload.checkout_sha ?? payload.after)
  const before = realCommit(payload.before)
  const found = oldestFirst(commits.map(commitOf), after)
  const push = (given: Pick<Push, 'commits' | 'missing'>): News => ({
    kind: 'pushes',
    repository: repositoryOf(project),
    pushes: [{ branch, before, after, ...given }],
  })
  if (after === null) return push({ commits: [], missing: null })
  if (isTag || (before === null && found.length === 0)) {
    const head = found.find(({ revision }) => revision === after)
    return push({ commits: [head ?? headOf(payload, after)], missing: head ? null : 'details' })
  }
  const hasHead = found.length === 0 || found.some(({ revision }) => revision === after)
  if (!hasHead || found.length < (total_commits_count ?? 0)) return push({ commits: found, missing: 'commits' })
  return push({ commits: found, missing: commits.some(({ added }) => added === undefined) ? 'details' : null })
}

/** A head that was there before: all that is known is who pushed it. */
function headOf({ user_name, user_email, message }: z.infer<typeof PUSH>, revision: string): Commit {
  return { revision, who: whoOf(user_name, user_email), comments: message?.trimEnd() ?? '', files: [] }
}

const repositoryOf = ({ path_with_namespace, git_http_url, git_ssh_url, web_url }: z.infer<typeof PROJECT>) => ({
  fullName: path_with_namespace,
  addresses: [git_http_url, git_ssh_url, web_url].filter((url) => url !== undefined),
})

const MERGE_REQUEST = z.object({
  project: PROJECT,
  user: optional(z.object({ name: optional(z.string()), username: optional(z.string()) })),
  object_attributes: z.object({
    iid: z.number(),
    title: z.string(),
    description: optional(z.string()),
    url: optional(z.string()),
    action: optional(z.string()),
    oldrev: optional(z.string()),
    source_branch: z.string(),
    target_branch: z.string(),
    source: optional(z.object({ path_with_namespace: z.string() })),
    last_commit: z.object({ id: z.string(), author: optional(person) }),
  }),
})

function readMergeRequest({ project, object_attributes: request }: z.infer<typeof MERGE_REQUEST>): News {
  const { action = 'looked at', iid, last_commit } = request
  // An update without this one changed a title or a label.
  const brings = action === 'open' || action === 'reopen' || (action === 'update' && request.oldrev !== undefined)
  if (!brings) return { kind: 'nothing', why: `the action of the merge request is "${action}", without new commits` }
  return {
    kind: 'pullRequest',
    repository: repositoryOf(project),
    pullRequest: {
      number: iid,
      title: request.title,
      text: request.description ?? '',
      url: request.url ?? null,
      who: whoOf(last_commit.author?.name, last_commit.author?.email),
      branch: `refs/merge-requests/${iid}/head`,
      revision: last_commit.id,
      source: { repository: request.source?.path_with_namespace ?? '', branch: request.source_branch },
      target: request.target_branch,
    },
  }
}
