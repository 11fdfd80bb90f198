import { type Branches, branchTest, type Host, type Json } from 'boltbot/plugin-sdk'
import type { CheckedPoller } from '../poller-options.ts'
import { newest, submitCommits } from '../submit-commits.ts'
import { readCommits } from './commits.ts'
import type { Git } from './git-process.ts'
import { isTag, parseHeads, tagName } from './heads.ts'
import type { Mirror } from './mirror.ts'
import { newRevisions } from './new-revisions.ts'

/**
 * One poll. The heads of the last one are in the host's state; a branch's head moves on there only when all its changes are
 * stored, so a crash repeats changes (which are known by their revision) and never skips one.
 *
 * New is what the new head reaches and the old one does not: also after a forced push. A new branch has what no other known
 * branch reaches, and at least its head. A tag is the one commit it names.
 */
export function createPoll(deps: PollDeps): (signal: AbortSignal) => Promise<void> {
  const { host, git, mirror, repository, options } = deps
  const { repourl, tags, maxChanges } = options
  const isWanted = wantedRefs(options)
  const wantsTags = tags === true || tags.length > 0

  async function poll(signal: AbortSignal): Promise<void> {
    const kinds = ['--heads', ...(wantsTags ? ['--tags'] : [])]
    const listed = (await git(['ls-remote', ...kinds, '--', repourl], { signal })).toString()
    const remote = new Map([...parseHeads(listed)].filter(([name]) => isWanted(name)))
    const before = readState(await host.state.get('heads'), repository)
    const moved = [...remote].filter(([name, head]) => before?.get(name) !== head).map(([name]) => name)
    const heads = new Map([...(before ?? [])].filter(([name]) => remote.has(name)))
    if (moved.length > 0) {
      const fetched = await mirror.fetch(moved, [...remote.keys()], signal)
      for (const name of moved) {
        const head = fetched.get(name)
        if (head === undefined) continue // it went away meanwhile
        if (before !== undefined) await submitNew(name, head, heads, signal)
        heads.set(name, head)
        if (before !== undefined) await save(heads)
      }
    }
    if (before === undefined) {
      host.log.info('first poll, later commits will be changes', { repository, branches: heads.size })
      await save(heads)
    } else if (moved.length === 0 && heads.size < before.size) await save(heads)
  }

  async function submitNew(
    branch: string,
    head: string,
    heads: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const missed = (old: string) =>
      host.log.warn('old head is gone, commits may be missed', { repository, branch, old })
    const asked = { head, old: heads.get(branch), heads: heads.values() }
    const found = isTag(branch) ? [head] : await newRevisions(mirror, asked, signal, missed)
    const revisions = newest(found, maxChanges, { host, repository, revisionOf: (revision) => revision })
    for (let from = 0; from < revisions.length; from += PAGE) {
      const commits = await readCommits(mirror, revisions.slice(from, from + PAGE), signal)
      await submitCommits(
        { host, repository, options },
        commits.map((commit) => ({ ...commit, branch })),
        signal,
      )
    }
  }

  function save(heads: ReadonlyMap<string, string>): Promise<void> {
    return host.state.set('heads', { repository, heads: Object.fromEntries(heads) })
  }

  return poll
}

/** Which branches and tags count, by their names as changes have them. */
export function wantedRefs({ branches, tags }: Pick<PollOptions, 'branches' | 'tags'>): (name: string) => boolean {
  const [isWantedBranch, isWantedTag] = [branchTest(branches), branchTest(tags)]
  return (name) => (isTag(name) ? isWantedTag(tagName(name)) : isWantedBranch(name))
}

export interface PollDeps {
  readonly host: Pick<Host, 'state' | 'log' | 'submitChange'>
  readonly git: Git
  readonly mirror: Mirror
  /** The URL without secrets. */
  readonly repository: string
  readonly options: PollOptions
}

export interface PollOptions extends Omit<CheckedPoller, 'pollInterval' | 'pollAtLaunch'> {
  readonly repourl: string
  readonly branches: Branches
  readonly tags: Branches
}

const PAGE = 200

/** The heads of the last poll; `undefined` before the first one of this repository. */
function readState(state: Json | undefined, repository: string): ReadonlyMap<string, string> | undefined {
  const stored = state as { readonly repository: string; readonly heads: Record<string, string> } | undefined // as saved
  return stored?.repository === repository ? new Map(Object.entries(stored.heads)) : undefined
}
