import type { Json } from 'boltbot/plugin-sdk'
import type { Commit } from './submit-commits.ts'

/** How a version control system tells its hooks of commits, and how those are read: what `boltbot hook` needs of it. */
export interface HookRoom {
  /**
   * What the hook was told, quickly: no program is run. `null` when that is no commit.
   * @throws CiError `BOLT_VC_HOOK` when it was not called as a hook.
   */
  report(call: HookCall): Report | null
  /**
   * The commits that reports tell of, oldest first. A report may be read again, after a crash.
   * @throws CiError when the repository cannot be asked.
   */
  read(events: readonly Json[], how: HookReading): Promise<HookNews>
  /** The position of a repository whose hook is being installed: all that comes later is told. Left out: that of the first report. */
  begin?(path: string, how: Pick<HookReading, 'branches' | 'tags' | 'signal'>): Promise<Json | undefined>
  /** False while more reports of the same commit may come. Left out: each is whole. */
  isWhole?(event: Json, now: number): boolean
}

export interface HookCall {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly now: number
  stdin(): string
}

export interface Report {
  /** The folder of the repository that hooks may write to. */
  readonly home: string
  /** Where the repository is on this machine: what changes name unless told otherwise. */
  readonly repository: string
  readonly event: Json
}

export interface HookReading {
  /** As changes name it. */
  readonly repository: string
  readonly branches: readonly string[] | undefined
  readonly tags: readonly string[] | undefined
  /** For systems whose branches are repositories: what changes say of it. */
  readonly branch: string | null
  readonly layout: Layout
  /** Where the reading before left off. */
  readonly position: Json | undefined
  readonly signal: AbortSignal
}

/** How paths of Subversion tell branches: not at all, `trunk` and `branches/NAME`, or these below a folder for each project. */
export type Layout = 'plain' | 'branches' | 'projects'

/** What may stand in place of what the settings say. */
export type HookCommit = Commit & { readonly repository?: string; readonly project?: string }

export interface HookNews {
  readonly commits: readonly HookCommit[]
  /** Kept when the commits are. */
  readonly position?: Json
}
