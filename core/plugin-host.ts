import type { BuildView, Clock, Log, Random } from 'boltbot/plugin-sdk'
import type { PluginSpec } from './config/model.ts'
import { createHooks, type HookRunner } from './hooks.ts'
import type { JournalEvent, JournalReader } from './host/durable-reader.ts'
import { alreadyStarted, duplicatePlugin, masterStopping, pluginsFailed, unknownPlugin } from './host/errors.ts'
import { LIMITS } from './host/limits.ts'
import { createMeter } from './host/meter.ts'
import { diffPlugins } from './host/plugin-diff.ts'
import type { HostPowers, PowerScope } from './host/plugin-powers.ts'
import { createPluginScope, type PluginLimits, type PluginScope, type PluginStatus } from './host/plugin-scope.ts'
import { createSharedThings } from './host/shared-things.ts'
import { createTurns } from './host/turns.ts'
import type { Threads } from './host/worker/threads.ts'

/**
 * Runs the plugins of a config: applies all, starts all in config order, stops all in reverse; takes over a new config by stopping
 * and starting what differs and leaving the rest alone. One change at a time; they wait for each other.
 */
export interface PluginHost {
  /** For the walk. */
  readonly hooks: HookRunner
  /**
   * @throws CiError `BOLT_HOST_PLUGINS_FAILED` with every failure in `cause.errors`; then nothing runs, all was unwound.
   */
  start(specs: readonly PluginSpec[]): Promise<void>
  /**
   * Resolves with what was done, a line each for people. When a plugin cannot be started all is put back as it was.
   * @throws CiError `BOLT_HOST_PLUGINS_FAILED`.
   */
  reconfigure(next: readonly PluginSpec[]): Promise<readonly string[]>
  /** Stops all, in reverse. Any number of times, at any time; also while a start is under way, which then fails. Never rejects. */
  stop(): Promise<void>
  /** Ends the suspension of a plugin. @throws CiError `BOLT_HOST_UNKNOWN_PLUGIN`. */
  resume(id: string): void
  /** Events were committed to the journal, these: durable plugins deal with them. Left out: they look. */
  wake(events?: readonly JournalEvent[]): void
  /** What plugins would tell of a build, by id; those that can say. */
  preview(build: BuildView): Promise<readonly { readonly plugin: string; readonly text: string | null }[]>
  /** In config order; while they start, those there are. */
  status(): readonly PluginStatus[]
}

export interface PluginHostDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly journal: JournalReader
  readonly powers: (id: string, scope: PowerScope) => HostPowers
  readonly limits?: Partial<PluginLimits>
  /** Of plugins in workers, for who moves the clock by hand. */
  readonly threads?: Threads | undefined
}

export function createPluginHost(deps: PluginHostDeps): PluginHost {
  const hooks = createHooks()
  const stopping = new AbortController()
  const shared = createSharedThings(deps)
  const scopeDeps = {
    ...deps,
    hooks,
    turns: createTurns(),
    meter: createMeter(),
    shared,
    stopping: stopping.signal,
    limits: { ...LIMITS, ...deps.limits },
  }
  /** Made and not stopped, also those of a change under way. */
  const alive = new Set<PluginScope>()
  /** Those of them that are to hear of each commit: the others, however many, cost it nothing. */
  const durable = new Set<PluginScope>()
  let running: readonly PluginScope[] = []
  let busy: Promise<unknown> = Promise.resolve()
  let stopped: Promise<void> | undefined

  const oneAtATime = <T>(work: () => Promise<T>): Promise<T> => {
    const done = busy.then(() => {
      if (stopping.signal.aborted) throw masterStopping()
      return work()
    })
    busy = done.catch(() => {}) // told to whoever asked for it
    return done
  }

  /** Applied, with nothing in effect yet: throwing them away disturbs nobody. */
  const applyAll = async (specs: readonly PluginSpec[]): Promise<readonly PluginScope[]> => {
    const scopes: PluginScope[] = []
    const errors: unknown[] = []
    for (const spec of specs) {
      const scope = createPluginScope(spec, scopeDeps)
      scopes.push(scope)
      alive.add(scope)
      if (spec.definition.durable) durable.add(scope)
    }
    // Threads take a while to start: all at once.
    await Promise.all(scopes.map((scope) => attempt(errors, () => scope.load())))
    if (errors.length === 0) for (const scope of scopes) await attempt(errors, () => scope.apply())
    if (errors.length === 0) return scopes
    await stopAll(scopes)
    throw pluginsFailed(errors)
  }
  /** All active before the first is started, all started before the first scheduler or poller runs. On failure all are stopped. */
  const bringUp = async (scopes: readonly PluginScope[], activated: () => void): Promise<void> => {
    const errors: unknown[] = []
    for (const scope of scopes) await attempt(errors, () => scope.activate())
    activated()
    if (errors.length === 0) for (const scope of scopes) await attempt(errors, () => startOne(scope))
    if (errors.length === 0) for (const scope of scopes) await attempt(errors, () => scope.run())
    if (errors.length === 0 && !stopping.signal.aborted) return
    await stopAll(scopes)
    throw errors.length === 0 || stopping.signal.aborted ? masterStopping() : pluginsFailed(errors)
  }
  const startOne = async (scope: PluginScope) => {
    if (stopping.signal.aborted) throw masterStopping()
    await scope.start()
  }
  const stopAll = async (scopes: readonly PluginScope[]) => {
    for (const scope of scopes.toReversed()) {
      await scope.stop()
      alive.delete(scope)
      durable.delete(scope)
    }
  }
  const releaseAll = (scopes: readonly PluginScope[]) => {
    for (const scope of scopes) scope.release()
  }
  const orderBy = (specs: readonly PluginSpec[]) => hooks.order(specs.map((spec) => spec.id))

  const start = async (specs: readonly PluginSpec[]) => {
    if (running.length > 0) throw alreadyStarted()
    const scopes = await applyAll(specs)
    try {
      await bringUp(scopes, () => orderBy(specs))
    } catch (error) {
      releaseAll(scopes)
      throw error
    }
    running = scopes
  }

  const reconfigure = async (next: readonly PluginSpec[]): Promise<readonly string[]> => {
    const before = running
    const specs = before.map((scope) => scope.spec)
    const scopeOf = (id: string) => before.find((scope) => scope.spec.id === id)!
    const diff = diffPlugins(specs, next)
    const lines = new Map<string, string>()

    const tookLive: PluginScope[] = []
    const restart: PluginSpec[] = []
    const undoLive = async (): Promise<readonly PluginScope[]> => {
      const refused: PluginScope[] = []
      for (const scope of tookLive) {
        if (!(await scope.reconfigure(specs[before.indexOf(scope)]!))) refused.push(scope)
      }
      return refused
    }
    for (const { after, why, optionsOnly } of diff.changed) {
      const scope = scopeOf(after.id)
      const live = optionsOnly && (await scope.reconfigure(after))
      if (live) tookLive.push(scope)
      else restart.push(after)
      lines.set(after.id, `plugin "${after.id}" ${live ? 'took new options' : 'restarted'}: ${why}`)
    }
    for (const spec of diff.added) lines.set(spec.id, `plugin "${spec.id}" started`)

    const anew = next.filter((spec) => restart.includes(spec) || diff.added.includes(spec))
    const leaving = before.filter(
      (scope) => diff.gone.includes(scope.spec) || restart.some((spec) => spec.id === scope.spec.id),
    )
    const putBack = async (stoppedOnes: readonly PluginScope[]) => {
      const refused = await undoLive()
      await stopAll(refused)
      const back = before.filter((scope) => stoppedOnes.includes(scope) || refused.includes(scope))
      running = await restore(before, specs, back)
    }

    let fresh: readonly PluginScope[]
    try {
      fresh = await applyAll(anew)
    } catch (error) {
      await putBack([])
      throw error
    }
    await stopAll(leaving)
    try {
      await bringUp(fresh, () => {
        orderBy(next)
        releaseAll(leaving.filter((scope) => restart.some((spec) => spec.id === scope.spec.id))) // their new ones guard
      })
    } catch (error) {
      if (stopping.signal.aborted) running = before.filter((scope) => !leaving.includes(scope))
      else await putBack(leaving)
      releaseAll(fresh) // till here they refused, so that nothing slipped through between them and the old ones
      throw error
    }
    releaseAll(leaving)
    for (const spec of diff.kept) {
      scopeOf(spec.id).swap(spec)
      scopeOf(spec.id).resume()
    }
    const now = new Map(
      [...before.filter((scope) => !leaving.includes(scope)), ...fresh].map((scope) => [scope.spec.id, scope]),
    )
    running = next.map((spec) => now.get(spec.id)!)
    return [
      ...next.flatMap((spec) => lines.get(spec.id) ?? []),
      ...diff.gone.map((spec) => `plugin "${spec.id}" stopped`),
    ]
  }

  /** Starts those of `before` that were stopped, each for itself: one that does not come back must not keep the others away. */
  const restore = async (
    before: readonly PluginScope[],
    specs: readonly PluginSpec[],
    back: readonly PluginScope[],
  ) => {
    const restored: PluginScope[] = []
    for (const [index, scope] of before.entries()) {
      if (!back.includes(scope)) {
        restored.push(scope)
        continue
      }
      const startAgain = async () => {
        const [again] = await applyAll([specs[index]!])
        await bringUp([again!], () => scope.release())
        restored.push(again!)
      }
      try {
        // What failed with the new config may have failed it as well, and be over: a port, a read of the store.
        await startAgain().catch(startAgain)
      } catch (error) {
        // Its guards, if it had any, stay away with it: the log line says so, and the next reconfigure tries again.
        scope.release()
        deps.log.error('plugin could not be started again', { plugin: scope.spec.id, error })
      }
    }
    orderBy(specs)
    return restored
  }

  return {
    hooks,
    start: (specs) => oneAtATime(() => start(oneOfEachId(specs))),
    reconfigure: (next) => oneAtATime(() => reconfigure(oneOfEachId(next))),
    stop() {
      stopping.abort(masterStopping())
      stopped ??= busy.then(() => stopAll(running))
      return stopped
    },
    resume(id) {
      const scope = running.find((item) => item.spec.id === id)
      if (!scope)
        throw unknownPlugin(
          id,
          running.map((item) => item.spec.id),
        )
      scope.resume()
    },
    wake(events) {
      for (const scope of durable) scope.wake(events)
    },
    async preview(build) {
      const found: { plugin: string; text: string | null }[] = []
      for (const scope of running) {
        const text = scope.preview(build)
        if (text !== undefined) found.push({ plugin: scope.spec.id, text: await text })
      }
      return found
    },
    status: () => (running.length > 0 ? running : [...alive]).map((scope) => scope.status()),
  }
}

/** The config's check finds two of one id with their places; who comes without a checked config is told here. */
function oneOfEachId(specs: readonly PluginSpec[]): readonly PluginSpec[] {
  const ids = specs.map((spec) => spec.id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  if (twice.length > 0) throw pluginsFailed([...new Set(twice)].map(duplicatePlugin))
  return specs
}

async function attempt(errors: unknown[], work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    errors.push(error)
  }
}
