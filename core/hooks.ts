import {
  type Hooks as Catalogue,
  type ChooseHook,
  deepFreeze,
  type GuardHook,
  HOOK_KINDS,
  type HookEvent,
  type HookName,
  type HookValue,
  type ObserveHook,
  type RefineHook,
  type TapOptions,
} from 'boltbot/plugin-sdk'
import { AsyncSeriesBailHook, AsyncSeriesHook, AsyncSeriesWaterfallHook, SyncHook } from 'tapable'

/** How the walk calls the hooks. Events are frozen, with all they contain, before the first tap sees them. */
export interface HookRunner {
  /** Observe: returns at once; taps are told later, on their plugin's mailbox. Never throws. */
  tell<Name extends ObserveHook>(name: Name, event: HookEvent<Name>): void
  /** Refine: the event as the last tap left it. @throws CiError `BOLT_HOOKS_REFINE` when a tap rejects it. */
  refine<Name extends RefineHook>(name: Name, event: HookEvent<Name>): Promise<HookEvent<Name>>
  /** Choose: the first answer, or `undefined`: core decides. Never rejects. */
  choose<Name extends ChooseHook>(name: Name, event: HookEvent<Name>): Promise<HookValue<Name>>
  /** Guard: resolves when no tap refuses. @throws the refusal, a CiError. */
  guard(event: HookEvent<GuardHook>): Promise<void>
  /** False: nobody listens, the event need not be made. */
  isUsed(name: HookName): boolean
}

/** The plugin host's side: taps come and go. A function given here is already isolated for its kind; see tap-kinds.ts. */
export interface Hooks extends HookRunner {
  /** Disposing it removes the tap: at once for calls to come; a call under way passes it over unless it is in it. */
  tap(plugin: string, name: HookName, run: (event: never) => unknown, options?: TapOptions): Disposable
  /** Puts all taps in the order of these plugin ids (config order), whenever they came; stage and before still hold. */
  order(plugins: readonly string[]): void
}

/** A set of all hooks, without taps. The methods may be handed around without their object. */
export function createHooks(): Hooks {
  const hooks = createInstances()
  const cells: { readonly [Name in HookName]: Cell[] } = mapHooks(() => [])
  let made = 0

  const insert = (cell: Cell) => {
    const { hook: name, stage } = cell
    // tapable takes one tap per name out of `before`, and puts a tap before names it does not know at the very front: so every
    // tap has a name of its own, and only names that are there are given.
    const before = cells[name].filter((other) => cell.before.includes(other.plugin)).map((other) => other.name)
    const options: TapOptions & { name: string } = { name: cell.name, stage, ...(before.length > 0 ? { before } : {}) }
    tapInto(hooks[name], options, cell)
    cells[name].push(cell)
  }

  return {
    tell(name, event) {
      const hook = hooks[name]
      if (hook.isUsed()) hook.call(deepFreeze(event))
    },
    async refine(name, event) {
      const hook = hooks[name]
      if (!hook.isUsed()) return deepFreeze(event)
      return (await hook.promise(deepFreeze(event))) as typeof event // tap-kinds.ts lets objects of this type through only
    },
    async choose<Name extends ChooseHook>(name: Name, event: HookEvent<Name>) {
      const hook = hooks[name]
      if (!hook.isUsed()) return undefined as HookValue<Name>
      return (await hook.promise(deepFreeze(event))) as HookValue<Name> // tap-kinds.ts lets offered answers through only
    },
    async guard(event) {
      const hook = hooks.guardAction
      if (hook.isUsed()) await hook.promise(deepFreeze(event))
    },
    isUsed: (name) => hooks[name].isUsed(),

    tap(plugin, name, run, { stage = 0, before = [] } = {}) {
      const cell: Cell = {
        plugin,
        name: `${plugin}#${made++}`,
        hook: name,
        stage,
        before: typeof before === 'string' ? [before] : before,
        run: run as (event: unknown) => unknown, // `never` in the signature lets taps of every event in
        live: true,
      }
      insert(cell)
      return {
        [Symbol.dispose]() {
          if (!cell.live) return
          cell.live = false
          cells[name].splice(cells[name].indexOf(cell), 1)
          removeTaps(hooks[name], (tap) => tap.name === cell.name)
        },
      }
    },
    order(plugins) {
      const place = new Map(plugins.map((id, index) => [id, index]))
      const placeOf = (cell: Cell) => place.get(cell.plugin) ?? plugins.length
      for (const name of Object.keys(cells) as HookName[]) {
        const sorted = cells[name].toSorted((a, b) => placeOf(a) - placeOf(b))
        if (sorted.every((cell, index) => cell === cells[name][index])) continue
        removeTaps(hooks[name], () => true)
        cells[name].length = 0
        for (const cell of sorted) insert(cell)
      }
    },
  }
}

/** Every hook there is; their meaning stands in plugin-sdk/hooks.ts, their order is that of the walk. */
function createInstances(): Instances {
  return Object.freeze({
    refineChange: new AsyncSeriesWaterfallHook<[unknown]>(['event'], 'refineChange'),
    changeAccepted: new SyncHook<[unknown]>(['event'], 'changeAccepted'),
    sourceFailing: new SyncHook<[unknown]>(['event'], 'sourceFailing'),
    guardAction: new AsyncSeriesHook<[unknown]>(['event'], 'guardAction'),
    actionJudged: new SyncHook<[unknown]>(['event'], 'actionJudged'),
    buildsetCreated: new SyncHook<[unknown]>(['event'], 'buildsetCreated'),
    requestQueued: new SyncHook<[unknown]>(['event'], 'requestQueued'),
    requestCancelled: new SyncHook<[unknown]>(['event'], 'requestCancelled'),
    chooseRequest: new AsyncSeriesBailHook<[unknown], unknown>(['event'], 'chooseRequest'),
    chooseSlave: new AsyncSeriesBailHook<[unknown], unknown>(['event'], 'chooseSlave'),
    buildStarted: new SyncHook<[unknown]>(['event'], 'buildStarted'),
    stepStarted: new SyncHook<[unknown]>(['event'], 'stepStarted'),
    logAppended: new SyncHook<[unknown]>(['event'], 'logAppended'),
    stepFinished: new SyncHook<[unknown]>(['event'], 'stepFinished'),
    buildFinished: new SyncHook<[unknown]>(['event'], 'buildFinished'),
    buildsetDoomed: new SyncHook<[unknown]>(['event'], 'buildsetDoomed'),
    buildsetFinished: new SyncHook<[unknown]>(['event'], 'buildsetFinished'),
    slaveConnected: new SyncHook<[unknown]>(['event'], 'slaveConnected'),
    slaveLost: new SyncHook<[unknown]>(['event'], 'slaveLost'),
    slaveMissing: new SyncHook<[unknown]>(['event'], 'slaveMissing'),
    slaveBack: new SyncHook<[unknown]>(['event'], 'slaveBack'),
    configApplied: new SyncHook<[unknown]>(['event'], 'configApplied'),
    configRejected: new SyncHook<[unknown]>(['event'], 'configRejected'),
  })
}

type Instances = { readonly [Name in HookName]: InstanceOf[Catalogue[Name]['kind']] }
interface InstanceOf {
  observe: SyncHook<[unknown]>
  refine: AsyncSeriesWaterfallHook<[unknown]>
  choose: AsyncSeriesBailHook<[unknown], unknown>
  guard: AsyncSeriesHook<[unknown]>
}

/** One tap. Dead cells do nothing at once, also where a call under way still holds them. */
interface Cell {
  readonly plugin: string
  /** Unique in the whole set. */
  readonly name: string
  readonly hook: HookName
  readonly stage: number
  readonly before: readonly string[]
  readonly run: (event: unknown) => unknown
  live: boolean
}

/** tapable does not await an async function given to `tap`, and type-checks it: so the kind decides, in this one place. */
function tapInto(hook: Instances[HookName], options: TapOptions & { name: string }, cell: Cell): void {
  const tapOptions = options as { name: string; stage?: number; before?: string } // lists work; the declaration knows text only
  if (HOOK_KINDS[cell.hook] === 'observe') {
    hook.tap(tapOptions, cell.run) // it only takes the event: nobody can go while all are told
    return
  }
  const asynchronous = hook as AsyncSeriesBailHook<[unknown], unknown> // all but observe hooks are async series
  asynchronous.tapPromise(tapOptions, async (event) => (cell.live ? cell.run(event) : undefined))
}

/** tapable has no untap. Splicing the list does nothing to a compiled hook; taking an interceptor in makes it compile anew. */
function removeTaps(hook: Tapped, which: (tap: { name: string }) => boolean): void {
  const kept = hook.taps.filter((tap) => !which(tap))
  hook.taps.splice(0, hook.taps.length, ...kept)
  hook.intercept({})
  hook.interceptors.pop()
}

interface Tapped {
  readonly taps: { name: string }[]
  readonly interceptors: unknown[]
  intercept(interceptor: object): void
}

function mapHooks<T>(make: (name: HookName) => T): { readonly [Name in HookName]: T } {
  const names = Object.keys(HOOK_KINDS) as HookName[] // the catalogue's keys are the hook names
  return Object.fromEntries(names.map((name) => [name, make(name)])) as { [Name in HookName]: T }
}
