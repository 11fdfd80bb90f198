import { z } from 'zod'
import { isHmac } from '../signature.ts'
import type { Commit, Forge, ForgeRepository, News, Push } from './forge.ts'
import { list, oldestFirst, optional, payloadOf, pick, timeOf, whoOf } from './payload.ts'

/** Webhooks of bitbucket.org: up to five commits of a push, and no files. */
export const bitbucketCloud: Forge = {
  title: 'Bitbucket Cloud',
  isSigned: ({ headers, body }, secret) => isHmac(headers['x-hub-signature'], secret, body, 'sha256='),
  read(request) {
    const event = request.headers['x-event-key'] ?? 'no'
    if (event === 'repo:push') return readPushes(pick(PUSHES, payloadOf(request), 'push of Bitbucket'))
    if (event === 'pullrequest:created' || event === 'pullrequest:updated')
      return readPullRequest(pick(PULL_REQUEST, payloadOf(request), 'pull request of Bitbucket'))
    return { kind: 'nothing', why: `it is a "${event}" event` }
  },
}

const LINKS = optional(z.object({ html: optional(z.object({ href: z.string() })) }))

const COMMIT = z.object({
  hash: z.string(),
  message: optional(z.string()),
  date: optional(z.string()),
  author: optional(z.object({ raw: optional(z.string()) })),
  links: LINKS,
})

const REF = z.object({ type: z.string(), name: z.string(), target: COMMIT })

const REPOSITORY = z.object({ full_name: z.string(), links: LINKS })

const PUSHES = z.object({
  repository: REPOSITORY,
  push: z.object({
    changes: z.array(
      z.object({
        old: optional(REF),
        new: optional(REF),
        commits: list(COMMIT),
        truncated: optional(z.boolean()),
      }),
    ),
  }),
})

function readPushes({ repository, push }: z.infer<typeof PUSHES>): News {
  const pushes = push.changes.flatMap((change): Push[] => {
    const ref = change.new ?? change.old
    const isTag = ref?.type === 'tag'
    if (ref === undefined || !(isTag || BRANCH_TYPES.includes(ref.type))) return []
    const branch = isTag ? `refs/tags/${ref.name}` : ref.name
    const before = change.old?.target.hash ?? null
    if (change.new === undefined) return [{ branch, before, after: null, commits: [], missing: null }]
    const head = change.new.target
    const listed = isTag || change.commits.length === 0 ? [head] : change.commits
    const commits = oldestFirst(listed.map(commitOf), head.hash)
    const isCut = !isTag && change.truncated === true
    return [{ branch, before, after: head.hash, commits, missing: isCut ? 'commits' : 'details' }]
  })
  if (pushes.length === 0) return { kind: 'nothing', why: 'it moves neither a branch nor a tag' }
  return { kind: 'pushes', repository: repositoryOf(repository), pushes }
}

/** The second is what Mercurial had there. */
const BRANCH_TYPES = ['branch', 'named_branch']

const commitOf = ({ hash, message, date, author, links }: z.infer<typeof COMMIT>): Commit => ({
  revision: hash,
  who: author?.raw?.trim() || 'unknown',
  comments: message?.trimEnd() ?? '',
  files: [],
  revlink: links?.html?.href,
  when: timeOf(date),
})

function repositoryOf({ full_name, links }: z.infer<typeof REPOSITORY>): ForgeRepository {
  const given = links?.html?.href ?? ''
  const page = /^https?:\/\/\S/.test(given) && URL.canParse(given) ? given : `https://bitbucket.org/${full_name}`
  return {
    fullName: full_name,
    addresses: [`${page}.git`, `git@${URL.parse(page)?.host ?? 'bitbucket.org'}:${full_name}.git`],
  }
}

const END = z.object({
  branch: z.object({ name: z.string() }),
  commit: optional(z.object({ hash: z.string() })),
  repository: optional(REPOSITORY),
})
const PULL_REQUEST = z.object({
  repository: REPOSITORY,
  pullrequest: z.object({
    id: z.number(),
    title: z.string(),
    description: optional(z.string()),
    links: LINKS,
    author: optional(z.object({ display_name: optional(z.string()) })),
    source: END,
    destination: END,
  }),
})

/** It has no refs of pull requests: the branch they come from is what can be fetched, where it is. */
function readPullRequest({ repository, pullrequest }: z.infer<typeof PULL_REQUEST>): News {
  const { id, title, description, links, author, source, destination } = pullrequest
  if (source.commit === undefined || source.repository === undefined)
    return { kind: 'nothing', why: 'the branch of the pull request is gone' }
  const from = repositoryOf(source.repository)
  return {
    kind: 'pullRequest',
    repository: repositoryOf(repository),
    pullRequest: {
      number: id,
      title,
      text: description ?? '',
      url: links?.html?.href ?? null,
      who: whoOf(author?.display_name, undefined),
      branch: source.branch.name,
      revision: source.commit.hash,
      address: from.fullName === repository.full_name ? undefined : from.addresses[0],
      source: { repository: from.fullName, branch: source.branch.name },
      target: destination.branch.name,
    },
  }
}
