import { CiError, type Host, type Json } from 'boltbot/plugin-sdk'
import { type Branches, branchTest, parseHeads } from './branches.ts'
import { type Commit, readCommits } from './commits.ts'
import type { Git } from './git-process.ts'
import type { Mirror } from './mirror.ts'

/**
 * One poll. The heads of the last one are in the host's state; a branch's head moves on there only when all its changes are
 * stored, so a crash repeats changes (which are known by their revision) and never skips one.
 *
 * New is what the new head reaches and the old one does not: also after a forced push. A new branch has what no other known
 * branch reaches, and at least its head.
 */
export function createPoll(deps: PollDeps): (signal: AbortSignal) => Promise<void> {
  const { host, git, mirror, repository, options } = deps
  const { repourl, branches } = options
  const isWanted = branchTest(branches)

  async function poll(signal: AbortSignal): Promise<void> {
    const listed = (await git(['ls-remote', '--heads', '--', repourl], { signal })).toString()
    const remote = new Map([...parseHeads(listed, 'refs/heads/')].filter(([branch]) => isWanted(branch)))
    const before = readState(await host.state.get('heads'), repository)
    const moved = [...remote].filter(([branch, head]) => before?.get(branch) !== head).map(([branch]) => branch)
    const heads = new Map([...(before ?? [])].filter(([branch]) => remote.has(branch)))
    if (moved.length > 0) {
      const fetched = await mirror.fetch(moved, [...remote.keys()], signal)
      for (const branch of moved) {
        const head = fetched.get(branch)
        if (head === undefined) continue // it went away meanwhile
        if (before !== undefined) await submitBranch(branch, head, heads, signal)
        heads.set(branch, head)
        if (before !== undefined) await save(heads)
      }
    }
    if (before === undefined) {
      host.log.info('first poll, later commits will be changes', { repository, branches: heads.size })
      await save(heads)
    } else if (moved.length === 0 && heads.size < before.size) await save(heads)
  }

  async function submitBranch(
    branch: string,
    head: string,
    heads: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const revisions = await newRevisions(branch, head, heads, signal)
    for (let from = 0; from < revisions.length; from += PAGE) {
      for (const commit of await readCommits(mirror, revisions.slice(from, from + PAGE), signal)) {
        signal.throwIfAborted()
        await submit(branch, commit)
      }
    }
  }

  async function newRevisions(
    branch: string,
    head: string,
    heads: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const old = heads.get(branch)
    if (old !== undefined && (await mirror.has(old, signal))) return mirror.commits(head, [old], signal)
    if (old !== undefined) host.log.warn('old head is gone, commits may be missed', { repository, branch, old })
    const others: string[] = []
    for (const revision of new Set(heads.values())) if (await mirror.has(revision, signal)) others.push(revision)
    const revisions = others.length === 0 ? [] : await mirror.commits(head, others, signal)
    return revisions.length === 0 ? [head] : revisions
  }

  async function submit(branch: string, { revision, ...commit }: Commit): Promise<void> {
    const { project, category, codebase, revlink } = options
    try {
      await host.submitChange({
        ...commit,
        branch,
        revision,
        repository,
        ...(project !== undefined && { project }),
        ...(category !== undefined && { category }),
        ...(codebase !== undefined && { codebase }),
        ...(revlink !== undefined && { revlink: revlink(revision) }),
      })
    } catch (error) {
      if (!isRejection(error)) throw error
      host.log.warn('change rejected, it is passed over', { repository, branch, revision, error })
    }
  }

  function save(heads: ReadonlyMap<string, string>): Promise<void> {
    return host.state.set('heads', { repository, heads: Object.fromEntries(heads) })
  }

  return poll
}

export interface PollDeps {
  readonly host: Pick<Host, 'state' | 'log' | 'submitChange'>
  readonly git: Git
  readonly mirror: Mirror
  /** The URL without secrets. */
  readonly repository: string
  readonly options: PollOptions
}

export interface PollOptions {
  readonly repourl: string
  readonly branches: Branches
  readonly project?: string | undefined
  readonly category?: string | undefined
  readonly codebase?: string | undefined
  readonly revlink?: ((revision: string) => string) | undefined
}

const PAGE = 200

/** The heads of the last poll; `undefined` before the first one of this repository. */
function readState(state: Json | undefined, repository: string): ReadonlyMap<string, string> | undefined {
  const stored = state as { readonly repository: string; readonly heads: Record<string, string> } | undefined // as saved
  return stored?.repository === repository ? new Map(Object.entries(stored.heads)) : undefined
}

/** The change itself was refused, so it would be again. The store failing or the plugin being stopped is no such case. */
function isRejection(error: unknown): boolean {
  return error instanceof CiError && !/^BOLT_(STORE|HOST)_/.test(error.code)
}
