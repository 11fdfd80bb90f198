import type { ChatFilter, ChatPlace } from './chat.ts'
import type { Doctor, Finding } from './doctor.ts'
import type { Host } from './host.ts'
import type { BuildView } from './model.ts'
import type { HostWith, Need } from './needs.ts'
import { keepOrigin, withOrigin } from './origin.ts'
import type { PastBuild } from './past-build.ts'
import type { Schema } from './schema.ts'
import type { Stage } from './stage.ts'

/** Version of this interface; it grows by one when something that worked before no longer does. */
export const API = 1
/** The oldest version that still works. */
export const OLDEST_API = 1

/** What a plugin is for: the list of the config it belongs in (`sources`, `schedulers`, `transports`, `status`; `service` goes in `plugins`). */
export type PluginKind = 'source' | 'scheduler' | 'slave' | 'status' | 'service'

/**
 * A plugin. Life: checked → applied → started (in config order) → running → stopped (in reverse). Nothing opens before `start`.
 */
export interface PluginDefinition<
  Kind extends PluginKind,
  Input,
  Options = Input,
  Needs extends readonly Need[] = readonly Need[],
> {
  /** Named as users say it: `status/mail`, `lamp`. */
  readonly name: string
  readonly kind: Kind
  /** The version of this interface it was written for, {@link API}; a master that does not have it refuses the plugin. Default: any. */
  readonly api?: number
  /** Where it runs when the config does not say; default `none`. */
  readonly isolation?: Isolation
  /** What it uses of the host: that and no more is given, see {@link NEEDS}, and the type of `host` follows. Default: nothing but what is free. */
  readonly needs?: Needs
  /**
   * True: observe taps read the stored journal by a cursor of their own. No event is lost in a crash; an event may come twice,
   * with the same `eventId`; an event whose tap throws comes again after a while, and later ones wait for it.
   */
  readonly durable?: boolean
  /** Slave transports: true when it starts slaves itself, so that they need no password. */
  readonly startsSlaves?: boolean
  /** Slave transports: true when it offers an engine for latent slaves. */
  readonly hasEngine?: boolean
  /** Checks and completes the options when the config is checked: zod, valibot or any Standard Schema. Must be synchronous. */
  readonly schema?: Schema<Input, Options>
  /** The instance's id when the config gives none; default: the name. Two instances need two ids. */
  id?(options: Input): string
  /** What no other plugin of the config may have as well, of these options; two plugins that give the same `what` are a problem. */
  claims?(options: Options): readonly Claim[]
  /** Taps hooks and registers things. Synchronous, no I/O. A throw refuses the config. */
  apply(host: HostWith<Needs>, options: Options): void
  /** Opens sockets, watches files. Awaited, with a deadline that names the plugin. What it returns is disposed at stop. */
  start?(host: HostWith<Needs>, options: Options): Opened | Promise<Opened>
  /** What it would tell of a finished build, for people to look at; tells nobody. `null`: nothing. Awaited. */
  preview?(host: HostWith<Needs>, options: Options, build: BuildView): Promise<string | null>
  /**
   * What it would tell of a finished build, all filters applied: a line for each person or place. `boltbot plan` compares what two
   * configs give. Called without `apply`; it looks and changes nothing. Awaited.
   */
  tells?(looker: Onlooker, options: Options, past: PastBuild): Promise<readonly string[]>
  /** New options of the same instance: return true when it took them live, else it is stopped and started. */
  reconfigure?(host: HostWith<Needs>, next: Options, previous: Options): boolean | Promise<boolean>
  /**
   * For rigs of the test kit: `apply` and `start` as above, but with the stage in place of servers outside. Left out: a rig runs it as a
   * master does, and it goes where its options say.
   */
  onStage?(stage: Stage): Pick<PluginDefinition<Kind, Input, Options, Needs>, 'apply' | 'start'>
  /** What `boltbot doctor` asks: whether all it needs outside works. May run beside a running master; changes nothing. 30 s. Awaited. */
  doctor?(doctor: Doctor, options: Options): Promise<readonly Finding[]>
}

/** Something that two plugins of a config cannot both have. */
export interface Claim {
  /** As a sentence says it: `the IRC network "libera"`. */
  readonly what: string
  /** What to do when another plugin has it too, in a sentence. */
  readonly hint: string
}

/** What {@link PluginDefinition.tells} may use: the present, seen through the config that is asked about. */
export interface Onlooker extends Pick<Host, 'id' | 'log' | 'clock' | 'query' | 'people'> {
  /** The line that the chat bot would say of a finished build in such a place; `null`: none. Resolves when it is composed. */
  chatNews(past: PastBuild, place: Pick<ChatPlace, 'notify' | keyof ChatFilter>): Promise<string | null>
}

// biome-ignore lint/suspicious/noConfusingVoidType: a start that opens nothing returns nothing
type Opened = undefined | void | Disposable | AsyncDisposable

/**
 * Where a plugin runs: in the process of the master, or in a thread of its own with a limit of memory, in MB (`'worker'`: 256). A plugin
 * in a worker that blocks, leaks or ends is cut off and started again; builds do not notice.
 */
export type Isolation = 'none' | 'worker' | { readonly memoryMb: number }

/** What every plugin takes beside its own options. */
export interface InstanceOptions {
  /** Default: what the definition's `id` gives, else its name. */
  readonly id?: string
  /** Default: what the definition says, else `none`. */
  readonly isolation?: Isolation
}

/** A plugin in a config: frozen data. */
export interface PluginInstance<Kind extends PluginKind = PluginKind> {
  readonly kind: 'plugin'
  readonly pluginKind: Kind
  readonly id: string
  /** Where it runs. */
  readonly isolation: Isolation
  readonly definition: PluginDefinition<Kind, never, never>
  /** As given, before the schema. */
  readonly options: object
}

/**
 * A new plugin: gives the function that config files call.
 *
 * @example
 * const lamp = definePlugin({
 *   name: 'lamp', kind: 'status',
 *   apply(host, options: { url: string }) {
 *     host.tap('buildFinished', async ({ builder, result }, { signal }) => {
 *       await fetch(options.url, { method: 'POST', signal, body: JSON.stringify({ builder, lit: result === 'failure' }) })
 *     })
 *   },
 * })
 * // master.cfg.ts: status: [lamp({ url: 'http://lamp.local/' })]
 */
export function definePlugin<
  const Kind extends PluginKind,
  Input extends object,
  Options,
  const Needs extends readonly Need[] = readonly Need[],
>(
  definition: PluginDefinition<Kind, Input, Options, Needs> & { readonly schema: Schema<Input, Options> },
): PluginFactory<Kind, Input>
export function definePlugin<
  const Kind extends PluginKind,
  Options extends object,
  const Needs extends readonly Need[] = readonly Need[],
>(definition: PluginDefinition<Kind, Options, Options, Needs>): PluginFactory<Kind, Options>
export function definePlugin<const Kind extends PluginKind, Options extends object>(
  definition: PluginDefinition<Kind, Options>,
): PluginFactory<Kind, Options> {
  keepOrigin(definition, definePlugin) // tells which file's code the plugin is
  const factory = (given: Partial<Options> & InstanceOptions = {}): PluginInstance<Kind> => {
    const { id, isolation = definition.isolation ?? 'none', ...options } = given
    const instance = {
      kind: 'plugin' as const,
      pluginKind: definition.kind,
      id: id ?? idOf(definition, options) ?? definition.name,
      isolation,
      definition: definition as unknown as PluginInstance<Kind>['definition'],
      options,
    }
    return withOrigin(instance, factory)
  }
  Object.defineProperty(factory, DEFINITION, { value: definition })
  return factory as PluginFactory<Kind, Options> // the optional argument is decided by the type below
}

const DEFINITION = Symbol.for('boltbot.definition')

/**
 * What a function that {@link definePlugin} gave makes plugins of; `undefined` for anything else.
 * @example definitionOf(lamp)?.name // 'lamp'
 */
export function definitionOf(factory: unknown): PluginInstance['definition'] | undefined {
  return typeof factory === 'function'
    ? (factory as { readonly [DEFINITION]?: PluginInstance['definition'] })[DEFINITION]
    : undefined
}

/** The definition's own id for these options. Options of a wrong shape are the check's to report, so no throw here. */
function idOf<Options>(definition: PluginDefinition<PluginKind, Options>, options: object): string | undefined {
  try {
    return definition.id?.(options as Options)
  } catch {
    return undefined // the check reports the options with their position
  }
}

/** The options may be left out when none is required. */
// biome-ignore lint/complexity/noBannedTypes: "{} extends X" asks whether nothing in X is required
export type PluginFactory<Kind extends PluginKind, Options> = {} extends Options
  ? (options?: Options & InstanceOptions) => PluginInstance<Kind>
  : (options: Options & InstanceOptions) => PluginInstance<Kind>
