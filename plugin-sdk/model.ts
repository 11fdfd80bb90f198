/**
 * The things Boltbot talks about, as plugins see them: readonly, JSON-safe, referred to by id.
 *
 * Terminology: a *change* is what a developer committed; a *source stamp* names a source tree to build; a *buildset* asks
 * several builders to build one source stamp; a *request* is one builder's part of it, waiting in that builder's queue; a
 * *build* is one run of one or more merged requests on one *slave*; a *step* is one command (or so) of a build; a *log* is
 * what a step printed. Times are milliseconds since 1970, UTC.
 */
import type { Duration } from './duration.ts'
import type { FormField } from './force-form.ts'
import type { Json } from './json.ts'
import type { Eta } from './progress.ts'
import type { Result } from './results.ts'

/** A number that stands for a row of one kind; ids of different kinds do not mix. */
type Id<Kind extends string> = number & { readonly __id?: Kind }
/** Names a stored change. */
export type ChangeId = Id<'change'>
/** Names a buildset: what was asked for at once, for one or several builders. */
export type BuildsetId = Id<'buildset'>
/** Names a request: one builder of a buildset. */
export type RequestId = Id<'request'>
/** Names a build in the whole master; counts from 0. For people it is `full/12`. */
export type BuildId = Id<'build'>
/** Position in the journal: grows with every event, unique, never reused. The key for "did I handle this already?". */
export type EventId = Id<'event'>

/** What a change source hands in. Only `who`, `files` and `comments` must be known. */
export interface ChangeInput {
  /** The author as the version control system names them: `Jane Doe <jane@example.org>`, `jane`, … */
  readonly who: string
  /** Files touched, tree-relative, with `/` between folders. */
  readonly files: readonly string[]
  readonly comments: string
  /** `null`: the default branch. */
  readonly branch?: string | null
  /** `null`: not known; such a change cannot be told from a second report of itself unless `key` is given. */
  readonly revision?: string | null
  readonly repository?: string
  readonly project?: string
  readonly codebase?: string
  readonly category?: string | null
  readonly revlink?: string | null
  readonly links?: readonly string[]
  readonly properties?: Readonly<Record<string, Json>>
  /** When it was committed, ms; default: now. */
  readonly when?: number
  /** Two changes with one key are the same change, reported twice. Default: repository, codebase, branch and revision, when there is a revision. */
  readonly key?: string
}

/** An accepted change, as stored. */
export interface Change {
  readonly id: ChangeId
  readonly who: string
  readonly files: readonly string[]
  readonly comments: string
  readonly branch: string | null
  readonly revision: string | null
  readonly repository: string
  readonly project: string
  readonly codebase: string
  readonly category: string | null
  readonly revlink: string | null
  readonly links: readonly string[]
  readonly properties: Readonly<Record<string, Json>>
  /** Clock time, ms: when it was made, as the source says. */
  readonly when: number
  /** Id of the plugin that handed it in. */
  readonly source: string
}

/** A change to be applied on top of a checkout: what `try` sends. */
export interface Patch {
  /** How many folders are taken off the front of its paths. */
  readonly level: number
  readonly body: string
  /** What `body` is; default `utf8`. See `patchBytes`. */
  readonly encoding?: 'utf8' | 'base64'
  /** Where in the tree it is applied; '' is the top. */
  readonly subdir: string
}

/** Names one source tree. `revision: null` means the newest of the branch. */
export interface SourceStamp {
  readonly branch: string | null
  readonly revision: string | null
  readonly repository: string
  readonly project: string
  readonly codebase: string
  readonly patch: Patch | null
  /** The changes it came from, oldest first; empty for forced and periodic builds. */
  readonly changes: readonly ChangeId[]
}

/** A property's value and where it came from. @example { value: 'main', source: 'SourceStamp' } */
export interface PropertyEntry {
  readonly value: Json
  readonly source: string
}
/** Properties by name, each with where it came from. */
export type PropertyMap = Readonly<Record<string, PropertyEntry>>

/** What a scheduler or a person asks for. */
export interface BuildsetInput {
  readonly builders: readonly string[]
  readonly sourceStamp?: Partial<SourceStamp>
  readonly reason: string
  readonly properties?: Readonly<Record<string, Json>>
  /** Higher first; default 0. */
  readonly priority?: number
  /** False: its requests are never built together with others; default true. */
  readonly merge?: boolean
  /** The scheduler it comes from; `null` for people. */
  readonly scheduler?: string | null
  /** The person who asked, if one did. */
  readonly owner?: string | null
  /** How long the tree was quiet before this was asked for; source steps of systems without atomic commits wait for half of it. */
  readonly treeStableTimer?: Duration
  /** Two buildsets with one key are the same, asked for twice: the second gives the first one and stores nothing. */
  readonly key?: string
  /** What who asks calls it, to find it by; need not be unique. */
  readonly externalId?: string
}

/** A buildset as it stands now. */
export interface BuildsetView {
  readonly id: BuildsetId
  readonly reason: string
  readonly scheduler: string | null
  readonly owner: string | null
  /** What who asked calls it. */
  readonly externalId: string | null
  readonly sourceStamp: SourceStamp
  /** The tree-stable timer of its scheduler, ms. */
  readonly treeStableMs: number | null
  readonly submittedAt: number
  readonly finishedAt: number | null
  /** The worst of its builds; `null` while it is not finished. */
  readonly result: Result | null
  /** True once one of its builds has failed, also while others still run. */
  readonly doomed: boolean
  readonly requests: readonly RequestId[]
}

/** A request as it stands now. */
export interface RequestView {
  readonly id: RequestId
  readonly buildset: BuildsetId
  readonly builder: string
  /** Higher ones are built first. */
  readonly priority: number
  readonly submittedAt: number
  readonly state: 'waiting' | 'claimed' | 'finished'
  /** How many times it was given to a slave. */
  readonly tries: number
  readonly result: Result | null
  readonly build: BuildId | null
  /** The number of `build` in its builder; `null` while it waits. */
  readonly buildNumber: number | null
  /** True: that build was started for another request, and this one merged into it. */
  readonly merged: boolean
}

/** A step of a build, as it is stored. */
export interface StepView {
  readonly number: number
  readonly name: string
  /** One line for people: what it is doing or what came of it. */
  readonly text: string
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly result: Result | null
  /** Names of its logs. */
  readonly logs: readonly string[]
}

/** A build, running or finished, as it is stored. */
export interface BuildView {
  readonly id: BuildId
  readonly builder: string
  /** Counts from 0 in its builder. */
  readonly number: number
  readonly requests: readonly RequestId[]
  readonly reason: string
  readonly sourceStamp: SourceStamp
  readonly changes: readonly Change[]
  /** Everybody whose change is in this build, each once, oldest first. */
  readonly blamelist: readonly string[]
  readonly slave: string
  /** Counts the tries of its requests. */
  readonly epoch: number
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly result: Result | null
  /** What came of it, for people: `['failed', 'compile']`. */
  readonly text: readonly string[]
  readonly properties: PropertyMap
  readonly steps: readonly StepView[]
  /** Of a running build, once each of its steps was seen in a good build. */
  readonly eta?: Eta
}

/** A builder as it stands now. */
export interface BuilderView {
  readonly name: string
  readonly category: string | null
  readonly slaves: readonly string[]
  readonly state: 'offline' | 'idle' | 'building'
  /** How many requests wait. */
  readonly waiting: number
  readonly building: readonly BuildId[]
  readonly lastResult: Result | null
  /** Number of the last build; `null`: there was none. */
  readonly lastBuild: number | null
}

/** A slave as it stands now. */
export interface SlaveView {
  readonly name: string
  /** The last three only of latent slaves: no instance, one is being started, one is being ended. */
  readonly state:
    | 'detached'
    | 'attaching'
    | 'idle'
    | 'pinging'
    | 'building'
    | 'latent'
    | 'substantiating'
    | 'insubstantiating'
  /** True when it is started when a build needs it. */
  readonly latent: boolean
  /** How many run on it. */
  readonly builds: number
  /** How many it may run at once. */
  readonly maxBuilds: number | null
  readonly builders: readonly string[]
  readonly admin: string | null
  readonly host: string | null
  readonly version: string | null
  /** When its last byte came, or `null` if it never did. */
  readonly lastHeard: number | null
  /** Since when it is connected; `null`: it is not. */
  readonly connectedAt: number | null
  /** Since when it should be here and is not; `null`: it is here. */
  readonly absentSince: number | null
  /** True when it is away for longer than its `missingTimeout`. */
  readonly missing: boolean
  /** Set while it is given no builds. */
  readonly paused: { readonly by: string; readonly at: number; readonly reason: string } | null
  /** A planned absence that is not over. */
  readonly away: { readonly by: string; readonly until: number; readonly reason: string } | null
  /** True when it finishes what it runs and then exits. */
  readonly leaving: boolean
  readonly notifyOnMissing: readonly string[]
}

/** A scheduler as it stands now. */
export interface SchedulerView {
  readonly name: string
  /** What it waits for, for people: `tree not stable until 12:00:43, 2 changes wait`; `null`: for nothing. */
  readonly waiting: string | null
  /** When it looks again by itself. */
  readonly wakeAt: number | null
  /** What it builds. */
  readonly builders?: readonly string[]
  /** What people fill in to have it build; left out: they cannot. */
  readonly form?: readonly FormField[]
}

/** Why something waits: one sentence for people, a code for programs. */
export interface WhyNot {
  readonly code: string
  readonly text: string
}
