import { z } from 'zod'
import { isHmac } from '../signature.ts'
import type { Commit, Forge, ForgeRepository, News, Push } from './forge.ts'
import { branchOf, list, oldestFirst, optional, payloadOf, pick, realCommit, whoOf } from './payload.ts'

/** Webhooks of Bitbucket Server and Data Center: what was moved, in newer versions with up to five commits, and no files. */
export const bitbucketServer: Forge = {
  title: 'Bitbucket Server',
  isSigned: ({ headers, body }, secret) => isHmac(headers['x-hub-signature'], secret, body, 'sha256='),
  read(request) {
    const event = request.headers['x-event-key'] ?? 'no'
    if (event === 'repo:refs_changed') return readPushes(pick(PUSHES, payloadOf(request), 'push of Bitbucket Server'))
    if (event === 'pr:opened' || event === 'pr:from_ref_updated')
      return readPullRequest(pick(PULL_REQUEST, payloadOf(request), 'pull request of Bitbucket Server'))
    return { kind: 'nothing', why: event === 'diagnostics:ping' ? 'this is only a ping' : `it is a "${event}" event` }
  },
}

const PERSON = z.object({
  name: optional(z.string()),
  displayName: optional(z.string()),
  emailAddress: optional(z.string()),
})

const COMMIT = z.object({
  id: z.string(),
  message: optional(z.string()),
  author: optional(PERSON),
  committerTimestamp: optional(z.number()),
  authorTimestamp: optional(z.number()),
})

const REPOSITORY = z.object({
  slug: z.string(),
  project: z.object({ key: z.string() }),
  links: optional(z.object({ clone: list(z.object({ href: z.string() })) })),
})

const PUSHES = z.object({
  actor: optional(PERSON),
  repository: REPOSITORY,
  changes: z.array(z.object({ refId: z.string(), fromHash: z.string(), toHash: z.string(), type: z.string() })),
  commits: list(COMMIT),
  toCommit: optional(COMMIT),
})

function readPushes({ actor, repository, changes, commits, toCommit }: z.infer<typeof PUSHES>): News {
  const pushes = changes.flatMap(({ refId, fromHash, toHash, type }): Push[] => {
    const branch = branchOf(refId)
    if (branch === null) return []
    const after = type === 'DELETE' ? null : realCommit(toHash)
    const before = type === 'ADD' ? null : realCommit(fromHash)
    if (after === null) return [{ branch, before, after, commits: [], missing: null }]
    const isTag = branch.startsWith('refs/tags/')
    // The commits are those of one branch; with several it is not said of which.
    const listed = changes.length === 1 && !isTag ? oldestFirst(commits.map(commitOf), after) : []
    const known = listed.some(({ revision }) => revision === after)
    const head = toCommit?.id === after ? commitOf(toCommit) : headOf(actor, after)
    return [{ branch, before, after, commits: known ? listed : [head], missing: isTag ? 'details' : 'commits' }]
  })
  if (pushes.length === 0) return { kind: 'nothing', why: 'it moves neither a branch nor a tag' }
  return { kind: 'pushes', repository: repositoryOf(repository), pushes }
}

const commitOf = ({ id, message, author, committerTimestamp, authorTimestamp }: z.infer<typeof COMMIT>): Commit => ({
  revision: id,
  who: personOf(author),
  comments: message?.trimEnd() ?? '',
  files: [],
  when: committerTimestamp ?? authorTimestamp,
})

const headOf = (actor: z.infer<typeof PERSON> | undefined, revision: string): Commit => ({
  revision,
  who: personOf(actor),
  comments: '',
  files: [],
})

const personOf = (person: z.infer<typeof PERSON> | undefined) =>
  whoOf(person?.displayName ?? person?.name, person?.emailAddress)

/** Where the server is it does not say, but in newer versions by its links. */
const repositoryOf = ({ slug, project, links }: z.infer<typeof REPOSITORY>): ForgeRepository => ({
  fullName: `${project.key}/${slug}`,
  addresses: (links?.clone ?? [])
    .map(({ href }) => href)
    .toSorted((a, b) => Number(/^ssh/.test(a)) - Number(/^ssh/.test(b))),
})

const END = z.object({ displayId: z.string(), latestCommit: z.string(), repository: REPOSITORY })
const PULL_REQUEST = z.object({
  actor: optional(PERSON),
  pullRequest: z.object({
    id: z.number(),
    title: z.string(),
    description: optional(z.string()),
    fromRef: END,
    toRef: END,
    author: optional(z.object({ user: optional(PERSON) })),
    links: optional(z.object({ self: list(z.object({ href: z.string() })) })),
  }),
})

function readPullRequest({ actor, pullRequest }: z.infer<typeof PULL_REQUEST>): News {
  const { id, title, description, fromRef, toRef, author, links } = pullRequest
  return {
    kind: 'pullRequest',
    repository: repositoryOf(toRef.repository),
    pullRequest: {
      number: id,
      title,
      text: description ?? '',
      url: links?.self[0]?.href ?? null,
      who: personOf(author?.user ?? actor),
      branch: `refs/pull-requests/${id}/from`,
      revision: fromRef.latestCommit,
      source: { repository: repositoryOf(fromRef.repository).fullName, branch: fromRef.displayId },
      target: toRef.displayId,
    },
  }
}
