import type {
  AccessOptions,
  ChooseSteps,
  Json,
  LockAccess,
  LookUpPerson,
  MergeRequests,
  NextBuild,
  NextSlave,
  PersonOptions,
  PluginInstance,
  PluginKind,
  PrioritizeBuilders,
  Renderable,
  SecretRef,
  Step,
} from 'boltbot/plugin-sdk'

/**
 * A checked config as core works with it: everything by name, defaults filled in, durations in milliseconds. Made by
 * `load.ts` from what the config file exported; a `Config` that exists has no problems.
 */
export interface Config {
  /** Content hash of the config file and of every file of its folder it imports. */
  readonly hash: string
  readonly projectName: string
  readonly projectURL: string | null
  readonly buildbotURL: string | null
  /** `null`: no web server. */
  readonly http: HttpSpec | null
  readonly slaves: ReadonlyMap<string, SlaveSpec>
  readonly builders: ReadonlyMap<string, BuilderSpec>
  /** In start order: status targets, schedulers, services, transports, sources; config order within each. */
  readonly plugins: readonly PluginSpec[]
  readonly properties: Readonly<Record<string, Json>>
  readonly prioritizeBuilders: PrioritizeBuilders | null
  readonly buildLeaseMs: number
  readonly maxTries: number
  readonly people: PeopleSpec
  readonly access: AccessOptions
  readonly retention: RetentionSpec
  readonly outbox: OutboxSpec
  /** `null`: a file of the base directory. */
  readonly store: StoreSpec | null
}

export interface HttpSpec {
  readonly port: number
  readonly host: string
  readonly trustedProxies: readonly string[]
}

export interface SlaveSpec {
  readonly name: string
  readonly password: string | SecretRef | null
  readonly maxBuilds: number | null
  readonly properties: Readonly<Record<string, Json>>
  readonly locks: readonly LockAccess[]
  readonly notifyOnMissing: readonly string[]
  /** 0: it is never missing. */
  readonly missingTimeoutMs: number
  readonly latent: LatentSpec | null
}

export interface LatentSpec {
  /** Plugin id. */
  readonly engine: string
  readonly buildWaitTimeoutMs: number
  /** `null`: no limit. */
  readonly maxLifetimeMs: number | null
  readonly settings: Readonly<Record<string, Json>>
}

export interface BuilderSpec {
  readonly name: string
  readonly slaves: readonly string[]
  /** Empty when a function chooses them for each build. */
  readonly steps: readonly Step[]
  readonly chooseSteps: ChooseSteps | null
  readonly category: string | null
  readonly description: string | null
  readonly builddir: string
  readonly env: Readonly<Record<string, Renderable<string> | null>>
  readonly properties: Readonly<Record<string, Json>>
  readonly locks: readonly LockAccess[]
  readonly mergeRequests: boolean | MergeRequests
  readonly useProgress: boolean
  readonly nextBuild: NextBuild | null
  readonly nextSlave: NextSlave | null
}

export interface PluginSpec {
  readonly id: string
  readonly kind: PluginKind
  readonly definition: PluginInstance['definition']
  /** Options after the schema. */
  readonly options: object
  /** Content hash of the plugin's own module graph when it lives in the config's folder; '' for installed ones. */
  readonly codeHash: string
  /** Of its package; `null` when it lives in the config's folder. */
  readonly version: string | null
  /** `null`: it runs in the master's process. */
  readonly worker: WorkerSpec | null
}

/** A plugin in a thread of its own, which loads it anew. */
export interface WorkerSpec {
  readonly memoryMb: number
  /** The file that defines and exports it. */
  readonly module: string
  /** The config's folder: files below it are read as the config's own. */
  readonly folder: string
  /** A copy of the folder as it was when the config was read, where the program keeps one. */
  readonly copy: string
}

export interface PeopleSpec {
  readonly mailDomain: string | null
  readonly table: Readonly<Record<string, PersonOptions>>
  readonly lookup: LookUpPerson | null
  readonly cacheMs: number
  readonly lookupTimeoutMs: number
  readonly owners: readonly { readonly pattern: string; readonly who: readonly string[] }[]
  readonly sheriff: SheriffSpec | null
}

export interface SheriffSpec {
  readonly rota: readonly string[]
  /** `2026-01-05`. */
  readonly start: string
  readonly days: number
  /** Minutes after midnight. */
  readonly atMinute: number
  /** `undefined`: the master's. */
  readonly timeZone: string | undefined
}

export interface OutboxSpec {
  readonly admins: readonly string[]
  /** `null`: no limit. */
  readonly budget: { readonly count: number; readonly perMs: number } | null
  readonly giveUpMs: number
}

export interface StoreSpec {
  /** Without a password. */
  readonly postgres: string
  readonly password: string | SecretRef | null
}

/** Milliseconds and counts; `null`: keep for ever. */
export interface RetentionSpec {
  readonly builds: { readonly ageMs: number | null; readonly count: number | null }
  readonly logs: { readonly ageMs: number | null; readonly count: number | null }
  readonly changes: { readonly ageMs: number | null; readonly count: number | null }
  readonly journal: { readonly ageMs: number | null }
}
