import { type ChangeInput, type Host, isRefusal } from 'boltbot/plugin-sdk'
import type { CheckedPoller } from './poller-options.ts'

/** What a version control system says of a commit. */
export type Commit = Omit<ChangeInput, 'repository' | 'project' | 'category' | 'codebase' | 'revlink'>

export interface Submission {
  readonly host: Pick<Host, 'log' | 'submitChange'>
  /** Without secrets. */
  readonly repository: string
  readonly options: Pick<CheckedPoller, 'project' | 'category' | 'codebase' | 'revlink'>
}

/**
 * Hands commits in, in order. One that is refused for good is logged and passed over.
 * @throws what else goes wrong, as a store that fails.
 */
export async function submitCommits(
  { host, repository, options }: Submission,
  commits: readonly Commit[],
  signal: AbortSignal,
): Promise<void> {
  const { project, category, codebase, revlink } = options
  for (const commit of commits) {
    signal.throwIfAborted()
    try {
      await host.submitChange({
        ...commit,
        repository,
        ...(project !== undefined && { project }),
        ...(category !== undefined && { category }),
        ...(codebase !== undefined && { codebase }),
        ...(revlink !== undefined && commit.revision && { revlink: revlink(commit.revision) }),
      })
    } catch (error) {
      if (!isRefusal(error)) throw error
      const { branch = null, revision = null } = commit
      host.log.warn('change rejected, it is passed over', { repository, branch, revision, error })
    }
  }
}

/** The newest so many of what is new. After a long time away nobody is helped by a flood, but it must be known what is missing. */
export function newest<T>(
  items: readonly T[],
  limit: number,
  {
    host,
    repository,
    revisionOf,
  }: Pick<Submission, 'host' | 'repository'> & { readonly revisionOf: (item: T) => unknown },
): readonly T[] {
  const count = items.length - limit
  if (count <= 0) return items
  const [from, to] = [revisionOf(items[0]!), revisionOf(items[count - 1]!)]
  host.log.warn('too many new commits, the oldest are skipped', { repository, skipped: count, from, to, limit })
  return items.slice(count)
}
