import type { ActionName } from './action.ts'
import type { Duration } from './duration.ts'
import type { Json } from './json.ts'
import type { Lock, LockAccess } from './locks.ts'
import { withOrigin } from './origin.ts'
import type { LookUpPerson, PeopleOptions } from './people.ts'
import type { PluginInstance } from './plugin.ts'
import type { MergeRequests, NextBuild, NextSlave, PrioritizeBuilders } from './queue-choices.ts'
import type { Renderable, SecretRef } from './render.ts'
import type { BuildInfo, Step } from './step.ts'

/** A slave of the config. */
export interface Slave<Name extends string = string> {
  readonly kind: 'slave'
  readonly name: Name
  readonly options: SlaveOptions<Name>
}

/** What {@link slave} takes. */
export interface SlaveOptions<Name extends string = string> {
  readonly name: Name
  /** Left out: only the master itself may start this slave (`local`). */
  readonly password?: string | SecretRef
  /** Builds at once, over all builders; default: no limit but one per builder. */
  readonly maxBuilds?: number
  /** Properties of every build on it. */
  readonly properties?: Readonly<Record<string, Json>>
  /** Held by every build on it. */
  readonly locks?: readonly (Lock | LockAccess)[]
  /** Who is told when it is missing: mail addresses, or names that `people` knows. */
  readonly notifyOnMissing?: string | readonly string[]
  /**
   * How long it may be away before it is missing; default `'1h'`; 0: for ever. Of a latent slave: how long an instance may take to
   * come; default `'20m'`.
   */
  readonly missingTimeout?: Duration
  /** Set: there is no machine until a build needs one. Takes no password. */
  readonly latent?: LatentOptions
}

/** Makes a slave *latent*: there is no machine until a build needs one. */
export interface LatentOptions {
  /** The plugin that starts and ends its instances, by object or id. */
  readonly engine: PluginInstance<'slave'> | string
  /** How long an instance without work is kept; default `'10m'`. */
  readonly buildWaitTimeout?: Duration
  /** The longest life of an instance: then it is ended, and a build that still runs there is tried again. Default: no limit. */
  readonly maxLifetime?: Duration
  /** What the engine wants to know: a size, an image. */
  readonly settings?: Readonly<Record<string, Json>>
}

/** @example const linux = slave({ name: 'bot-linux', password: secret('bot-linux'), maxBuilds: 2 }) */
export function slave<const Name extends string>(options: SlaveOptions<Name>): Slave<Name> {
  return withOrigin({ kind: 'slave' as const, name: options?.name, options: { ...options } }, slave)
}

/** The steps of a build: a list, or a function that chooses them for each build. */
export interface BuildFactory {
  readonly kind: 'buildFactory'
  readonly steps: readonly Step[] | ChooseSteps
}

/**
 * Chooses the steps of one build, by its changes, its properties, or how the last build went. May be async; has 60 s. After a restart of
 * the master it is asked again with the same build and must choose the same. A throw ends the build as `exception`.
 */
export type ChooseSteps = (build: BuildInfo) => readonly Step[] | Promise<readonly Step[]>

/**
 * @example buildFactory([git({ repourl }), compile(), test()])
 * @example buildFactory(({ changes }) => changes.some(({ files }) => files.includes('po/de.po')) ? [checkTexts()] : [compile(), test()])
 */
export function buildFactory(steps: readonly Step[] | ChooseSteps): BuildFactory {
  return withOrigin({ kind: 'buildFactory' as const, steps: Array.isArray(steps) ? [...steps] : steps }, buildFactory)
}

/** A builder in a config: data, nothing runs. Made by {@link builder}. */
export interface Builder<Name extends string = string, SlaveName extends string = string> {
  readonly kind: 'builder'
  readonly name: Name
  readonly slaves: readonly SlaveName[]
  readonly options: BuilderOptions<Name, SlaveName>
}

/** What {@link builder} takes. */
export interface BuilderOptions<Name extends string = string, SlaveName extends string = string> {
  readonly name: Name
  /** Slaves that may run it, by object or name. */
  readonly slaves: readonly (Slave<SlaveName> | SlaveName)[]
  readonly factory: BuildFactory
  /** Status targets filter by it. */
  readonly category?: string
  readonly description?: string
  /** Its directory on the slaves; default: the name with unsafe characters replaced. */
  readonly builddir?: string
  /** Environment of its shell commands. */
  readonly env?: Readonly<Record<string, Renderable<string> | null>>
  readonly properties?: Readonly<Record<string, Json>>
  /** Held for the whole build. */
  readonly locks?: readonly (Lock | LockAccess)[]
  /** Whether waiting requests that ask for the same are built together, or a function that says which are; default: as the master's. */
  readonly mergeRequests?: boolean | MergeRequests
  /** False: how long its steps take is not learned and no end of its builds is expected; default true. */
  readonly useProgress?: boolean
  /** Which waiting request is next; default: the first. */
  readonly nextBuild?: NextBuild
  /** Which free slave takes a build; default: one by chance. */
  readonly nextSlave?: NextSlave
}

/** @example builder({ name: 'full', slaves: [linux], factory: buildFactory([compile(), test()]) }) */
export function builder<const Name extends string, const SlaveName extends string>(
  options: BuilderOptions<Name, SlaveName>,
): Builder<Name, SlaveName> {
  // Plain JS may give anything: what is wrong is reported by the check, with all other problems, not by a throw here.
  const given = Array.isArray(options?.slaves) ? options.slaves : []
  const slaves = given.map((item) => (typeof item === 'string' ? item : item?.name))
  return withOrigin({ kind: 'builder' as const, name: options?.name, slaves, options: { ...options } }, builder)
}

/** How long what is kept. `age` deletes what is older, `count` what is beyond so many per builder. Running builds always stay. */
export interface Retention {
  readonly builds?: { readonly age?: Duration; readonly count?: number }
  readonly logs?: { readonly age?: Duration; readonly count?: number }
  /** Those that a build, a waiting request or a scheduler has to do with always stay. */
  readonly changes?: { readonly age?: Duration; readonly count?: number }
  /** Events; those that a durable plugin or a scheduler has not seen yet always stay. */
  readonly journal?: { readonly age?: Duration }
}

/**
 * Who may do what, for people from outside: those on IRC and the web. An action that is left out is for none of them. Rules:
 * `'role:committer'`, `'person:jane'`, `'account:jane'`, `'host:*@*.example.org'`, `'op:#hello'`, `'voice:#hello'`, `'via:irc'`, `'anyone'`.
 */
export type AccessOptions = { readonly [Action in ActionName]?: readonly string[] }

/** Messages to people: see `host.notify`. */
export interface OutboxOptions {
  /** Mail addresses that are told of messages that could not be delivered. */
  readonly admins?: readonly string[]
  /** What one address is sent at most; more is put into one digest. Default: 30 an hour; `false`: no limit. */
  readonly budget?: { readonly count: number; readonly per: Duration } | false
  /** How long a recipient is tried whom the other side puts off; default `'4d'`. A dead server is tried for ever. */
  readonly giveUpAfter?: Duration
}

/** Where the master keeps its state, when that is not a file of its base directory. */
export interface StoreOptions {
  /** The address of a PostgreSQL database, 10 or newer, for this master alone: `'postgres://ci@db.example.org/boltbot'`. */
  readonly postgres: string
  readonly password?: string | SecretRef
}

/** The master's one web server, for plugins that serve pages. */
export interface HttpOptions {
  /** 0: any free one, which the log names. */
  readonly port: number
  /** Where it listens; default `127.0.0.1`: only this machine can connect. Beyond this machine put a proxy with TLS in front. */
  readonly host?: string
  /** Addresses (`127.0.0.1`, `10.0.0.0/8`) whose `X-Forwarded-For`, `-Proto`, `-Host` are believed; default: none. */
  readonly trustedProxies?: readonly string[]
}

/** The whole config: data only, nothing opens while it is read. */
export interface MasterOptions<S extends readonly Slave[], B extends readonly Builder[]> {
  readonly projectName: string
  readonly projectURL?: string
  /** Where people reach the web pages, for links in mails; may have a path, as behind a proxy. */
  readonly buildbotURL?: string
  /** Left out: there is no web server. */
  readonly http?: HttpOptions
  readonly slaves: S
  readonly builders: B
  /** How slaves reach the master. */
  readonly transports: readonly PluginInstance<'slave'>[]
  readonly sources?: readonly PluginInstance<'source'>[]
  readonly schedulers?: readonly PluginInstance<'scheduler'>[]
  readonly status?: readonly PluginInstance<'status'>[]
  /** Plugins of any kind. */
  readonly plugins?: readonly PluginInstance[]
  /** Properties of every build. */
  readonly properties?: Readonly<Record<string, Json>>
  /** Whether waiting requests that ask for the same are built together, or a function that says which are; default true. */
  readonly mergeRequests?: boolean | MergeRequests
  /** Which builder goes first when several could start; default: the one that has waited longest for a slave. */
  readonly prioritizeBuilders?: PrioritizeBuilders
  /** How long a build waits for a slave that lost its link and can take up its command again; default `'60s'`. */
  readonly buildLease?: Duration
  /** How often a build is tried when its slaves get lost; default 3. */
  readonly maxTries?: number
  /** A mail domain, a function that looks people up, or all there is to say. */
  readonly people?: string | LookUpPerson | PeopleOptions
  readonly access?: AccessOptions
  readonly retention?: Retention
  readonly outbox?: OutboxOptions
  /** Left out: SQLite, in the base directory. Takes effect when the master is started. */
  readonly store?: StoreOptions
}

/** What {@link defineMaster} makes: the default export of a `master.cfg.ts`. */
export interface MasterConfig {
  readonly kind: 'master'
  readonly options: MasterOptions<readonly Slave[], readonly Builder[]>
}

/** Slave names a list of builders uses must be names of the list of slaves. */
type KnownSlaves<S extends readonly Slave[], B extends readonly Builder[]> = {
  readonly [I in keyof B]: B[I] extends Builder<infer Name, infer SlaveName>
    ? [SlaveName] extends [S[number]['name']]
      ? B[I]
      : Builder<Name, S[number]['name']>
    : never
}

/**
 * The default export of `master.cfg.ts`.
 * @example export default defineMaster({ projectName: 'Hello', transports: [local()], slaves: [here], builders: [full] })
 */
export function defineMaster<const S extends readonly Slave[], const B extends readonly Builder[]>(
  options: MasterOptions<S, B> & { readonly builders: KnownSlaves<S, B> },
): MasterConfig {
  return withOrigin({ kind: 'master' as const, options: { ...options } }, defineMaster)
}
