import { type Branches, branchTest, type ChangeInput, type Host } from 'boltbot/plugin-sdk'
import { createBranchHeads } from './branch-heads.ts'
import type { ForgeRepository, News, PullRequest, Push } from './forges/forge.ts'
import type { Webhook } from './options.ts'
import { allFail, hasLookedSince, nameOf } from './pollers.ts'
import { type Submission, submit } from './submit.ts'

/** What was done with a delivery. */
export interface Taken extends Submission {
  /** Branches whose commits a poller will bring: it was asked to look at once. */
  readonly left: readonly string[]
  /** Why nothing came of it, or of some of it: ends of sentences. */
  readonly ignored: readonly string[]
}

/**
 * Makes changes of what was posted. What a payload does not carry whole is left to a poller of the repository where there is one: it
 * has all commits, with their files, in their order. So is a push behind others that were missed.
 * @throws what handing changes in throws, but for changes that are refused for good.
 */
export function createTaker(host: Host, options: Webhook): (news: News) => Promise<Taken> {
  const heads = createBranchHeads(host)
  const isWantedRepository = test(options.repositories?.map((name) => name.toLowerCase()) ?? true)
  const isWantedBranch = test(options.branches)
  const isWantedTag = test(options.tags)

  async function takePush(repository: string, push: Push): Promise<Taken> {
    const { branch, before, after, missing } = push
    const isTag = branch.startsWith(TAGS)
    if (!(isTag ? isWantedTag(branch.slice(TAGS.length)) : isWantedBranch(branch)))
      return nothing(`"${branch}" is not wanted here`)
    if (after === null) {
      await heads.forget(repository, branch)
      return nothing(`"${branch}" was deleted`)
    }
    const head = isTag ? undefined : await heads.get(repository, branch)
    const isGap = head !== undefined && before !== null && head.revision !== before
    const isBehind =
      head !== undefined && head.leftAt !== null && !(await hasLookedSince(host, repository, head.leftAt))
    // Where the pollers fail, whole pushes go by them: late is worse than out of order.
    const isForPoller = missing !== null || ((isGap || isBehind) && !(await allFail(host, repository)))
    const asked = host.clock.now()
    if (isForPoller && (await host.pollSoon(repository, { branch })) > 0) {
      await heads.set(repository, branch, { revision: after, leftAt: asked })
      return { ...NOTHING, left: [branch] }
    }
    if (missing === 'commits' || isGap)
      host.log.warn('commits may be missing, and no poller looks at this branch', { repository, branch, before, after })
    const done = await submit(
      host,
      push.commits.map((commit) => ({ ...defined(commit), ...common(repository, isTag ? 'tag' : undefined), branch })),
    )
    if (!isTag) await heads.set(repository, branch, { revision: after, leftAt: null })
    return { ...NOTHING, ...done, ignored: push.commits.length === 0 ? [`"${branch}" has no new commits`] : [] }
  }

  async function takePullRequest(repository: ForgeRepository, name: string, pull: PullRequest): Promise<Taken> {
    const isOwn = pull.source.repository.toLowerCase() === repository.fullName.toLowerCase()
    if (options.pullRequests === undefined) return nothing('pull requests are not wanted here')
    if (options.pullRequests === 'own' && !isOwn) return nothing('the pull request comes from another repository')
    if (!isWantedBranch(pull.target)) return nothing(`pull requests for "${pull.target}" are not wanted here`)
    const change: ChangeInput = {
      who: pull.who,
      files: [],
      comments: `${pull.title}\n\n${pull.text}`.trim(),
      ...common(pull.address ?? name, 'pull'),
      branch: pull.branch,
      revision: pull.revision,
      revlink: pull.url,
      properties: {
        pull_request: pull.number,
        pull_request_title: pull.title,
        pull_request_url: pull.url,
        source_repository: pull.source.repository,
        source_branch: pull.source.branch,
        target_branch: pull.target,
      },
    }
    return { ...NOTHING, ...(await submit(host, [change])) }
  }

  function common(repository: string, kind: 'tag' | 'pull' | undefined) {
    const { project, codebase, category = kind } = options
    return { repository, ...defined({ project, codebase, category }) }
  }

  return async (news) => {
    if (news.kind === 'nothing') return nothing(news.why)
    if (news.kind === 'changes') {
      const { project, codebase, category } = options
      const changes = news.changes.map((change) => ({ ...defined({ project, codebase, category }), ...change }))
      return { ...NOTHING, ...(await submit(host, changes)) }
    }
    const { repository } = news
    if (!isWantedRepository(repository.fullName.toLowerCase()))
      return nothing(`the repository "${repository.fullName}" is not wanted here`)
    const name = await nameOf(host, repository)
    if (news.kind === 'pullRequest') return takePullRequest(repository, name, news.pullRequest)
    let all: Taken = NOTHING
    for (const push of news.pushes) all = sum(all, await takePush(name, push))
    return all
  }
}

const TAGS = 'refs/tags/'
const NOTHING: Taken = { taken: 0, known: 0, refused: [], left: [], ignored: [] }
const nothing = (why: string): Taken => ({ ...NOTHING, ignored: [why] })

const sum = (a: Taken, b: Taken): Taken => ({
  taken: a.taken + b.taken,
  known: a.known + b.known,
  refused: [...a.refused, ...b.refused],
  left: [...a.left, ...b.left],
  ignored: [...a.ignored, ...b.ignored],
})

const test = (names: Branches) => branchTest(names)

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T> // the same without some
