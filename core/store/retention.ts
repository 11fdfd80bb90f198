import type { Clock, Log } from 'boltbot/plugin-sdk'
import type { RetentionSpec } from '../config/model.ts'
import { removeFollowers } from './followers.ts'
import type { LogStore } from './log-store.ts'
import { removeMessages } from './outbox.ts'
import { forgetLogs, oldBuilds, oldLogs, removeBuilds, removeEvents, removeUnbuilt } from './prune.ts'
import { removeChanges } from './prune-changes.ts'
import type { Store } from './store.ts'

/** Removes what the config says is old enough, in batches so small that nobody waits for them. */
export interface Retention {
  /** Begins: the first round after a minute, then one an hour. */
  start(): void
  /** One round now, or the one under way. */
  run(): Promise<Removed>
  /** Ends after the batch in hand. */
  stop(): Promise<void>
}

export interface Removed {
  readonly builds: number
  /** Builds whose logs were removed and that stay themselves. */
  readonly logs: number
  readonly changes: number
  readonly events: number
}

export interface RetentionDeps {
  readonly store: Store
  readonly logs: LogStore
  readonly clock: Clock
  readonly log: Log
  /** What is in force now; asked for each round. */
  readonly spec: () => RetentionSpec
}

const FIRST_MS = 60_000
const EVERY_MS = 3_600_000
const BUILDS = 50
const CHANGES = 200
const EVENTS = 500
/** Messages that were delivered are known so long, so that an event that comes again is not told again. */
const MESSAGES_MS = 30 * 24 * 3_600_000

export function createRetention({ store, logs, clock, log, spec }: RetentionDeps): Retention {
  let timer: Disposable | undefined
  let running: Promise<Removed> | undefined
  let stopped = false

  async function round(): Promise<Removed> {
    const { builds, logs: logRules, changes, journal } = spec()
    // Builds first: their logs need not be looked for then.
    const removed = { builds: await pruneBuilds(builds), logs: await pruneLogs(logRules), changes: 0, events: 0 }
    // After the builds: what only they referred to may go with them.
    removed.changes = await pruneChanges(changes)
    if (journal.ageMs !== null)
      removed.events = await untilFewer(EVENTS, (limit) => removeEvents(store, ago(journal.ageMs!), limit))
    await untilFewer(EVENTS, (limit) => removeMessages(store, ago(MESSAGES_MS), limit))
    await removeFollowers(store)
    if (removed.builds + removed.logs + removed.changes + removed.events > 0) log.info('old records removed', removed)
    return removed
  }

  async function pruneBuilds(rule: RetentionSpec['builds']): Promise<number> {
    const old = { before: rule.ageMs === null ? null : ago(rule.ageMs), count: rule.count }
    const count = await untilFewer(BUILDS, async (limit) => {
      const found = await oldBuilds(store.db, old, limit)
      if (found.length === 0) return 0
      await removeLogs(found)
      await removeBuilds(store, found)
      return found.length
    })
    const { before } = old
    if (before !== null) await untilFewer(BUILDS, (limit) => removeUnbuilt(store, before, limit))
    return count
  }

  async function pruneLogs(rule: RetentionSpec['logs']): Promise<number> {
    if (rule.ageMs === null && rule.count === null) return 0
    const old = { before: rule.ageMs === null ? null : ago(rule.ageMs), count: rule.count }
    let count = 0
    for (let position: number | null = 0; position !== null && !stopped; ) {
      const { builds, next } = await oldLogs(store.db, old, position, BUILDS)
      if (builds.length > 0) {
        await removeLogs(builds)
        await forgetLogs(store, builds)
      }
      count += builds.length
      position = next
      await nextTurn()
    }
    return count
  }

  async function pruneChanges(rule: RetentionSpec['changes']): Promise<number> {
    if (rule.ageMs === null && rule.count === null) return 0
    const old = { before: rule.ageMs === null ? null : ago(rule.ageMs), count: rule.count }
    let count = 0
    for (let position: number | null = 0; position !== null && !stopped; ) {
      const { removed, next } = await removeChanges(store, old, position, CHANGES)
      count += removed
      position = next
      await nextTurn()
    }
    return count
  }

  /** Files before rows: a kill in between leaves a row without files, and the next round comes again; never a file without a row. */
  async function removeLogs(builds: readonly number[]): Promise<void> {
    for (const build of builds) await logs.remove(build)
  }

  async function untilFewer(limit: number, batch: (limit: number) => Promise<number>): Promise<number> {
    let count = 0
    while (!stopped) {
      const removed = await batch(limit)
      count += removed
      if (removed < limit) break
    }
    return count
  }

  function ago(ms: number): number {
    return store.now() - ms
  }

  function run(): Promise<Removed> {
    running ??= round().finally(() => {
      running = undefined
    })
    return running
  }

  function arm(ms: number): void {
    if (stopped) return
    timer = clock.timer(ms, () => {
      run()
        .catch((error: unknown) => log.error('retention failed', { error }))
        .finally(() => arm(EVERY_MS))
    })
  }

  return {
    start: () => arm(FIRST_MS),
    run,
    async stop() {
      stopped = true
      timer?.[Symbol.dispose]()
      // Whoever asked for the round has its error.
      await running?.catch(() => {})
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
