import type { Host, Json } from 'boltbot/plugin-sdk'
import type { CheckedPoller } from './poller-options.ts'
import { type Commit, newest, submitCommits } from './submit-commits.ts'

/** A repository as a poller asks it. */
export interface History {
  /** As it stands in changes: without secrets. */
  readonly repository: string
  /** Which branches it tells of; default: all. */
  readonly watches?: (branch: string) => boolean
  /**
   * What is new since a position of an earlier call; without one only where it stands now.
   * @throws CiError when the repository cannot be asked.
   */
  since(position: Json | undefined, signal: AbortSignal): Promise<News>
}

export interface News {
  /** Oldest first. */
  readonly commits: readonly Commit[]
  /** Where it stands with them. */
  readonly position: Json
}

/**
 * Polls a repository. Its position is stored only when all changes up to there are: a crash repeats changes, which are known by their
 * revision or key, and never skips one.
 */
export function registerHistoryPoller(host: Host, options: CheckedPoller, history: History): void {
  const { repository } = history

  async function poll(signal: AbortSignal): Promise<void> {
    const stored = (await host.state.get('position')) as Stored | undefined // as saved
    const before = stored?.repository === repository ? stored.position : undefined
    const { commits, position } = await history.since(before, signal)
    if (before === undefined) host.log.info('first poll, later commits will be changes', { repository, position })
    else {
      const wanted = newest(commits, options.maxChanges, { host, repository, revisionOf: (commit) => commit.revision })
      await submitCommits({ host, repository, options }, wanted, signal)
    }
    if (JSON.stringify(position) !== JSON.stringify(before)) await host.state.set('position', { repository, position })
  }

  host.registerPoller({
    name: 'poll',
    repository,
    ...(history.watches && { watches: history.watches }),
    interval: options.pollInterval,
    pollAtLaunch: options.pollAtLaunch,
    deadline: '30m', // the first time with a large repository
    poll: ({ signal }) => poll(signal),
  })
}

interface Stored {
  readonly repository: string
  readonly position: Json
}
