import type {
  Change,
  Json,
  PluginInstance,
  SchedulerBuildset,
  SchedulerInput,
  SchedulerRules,
} from 'boltbot/plugin-sdk'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { acceptedChange } from '../../../plugin-sdk/testing/test-powers.ts'

/** Runs the rules of a scheduler as core does: one input after the other, its state kept as JSON. */
export interface Follow {
  readonly state: Json
  readonly wakeAt: number | null
  readonly waiting: string | null
  /** All it asked for so far, with when. */
  readonly built: readonly (SchedulerBuildset & { readonly at: number })[]
  feed(input: SchedulerInput, now: number): void
  start(now: number): void
  now(now: number): void
  change(id: number, now: number, fields?: Partial<Change> & { readonly important?: boolean }): void
  /** Gives the timer inputs that come due until then, each in time. */
  until(now: number): void
  /** The same scheduler after a restart, or with other options: it has the state, and wakes when it was to. */
  again(plugin: PluginInstance): Follow
}

export function follow(plugin: PluginInstance, stored?: Json, wake: number | null = null): Follow {
  const rules = rulesOf(plugin)
  let state = stored ?? rules.initial
  let wakeAt = wake
  let waiting: string | null = null
  const built: (SchedulerBuildset & { readonly at: number })[] = []
  const run: Follow = {
    get state() {
      return state
    },
    get wakeAt() {
      return wakeAt
    },
    get waiting() {
      return waiting
    },
    built,
    feed(input, now) {
      const decision = rules.decide(input, state, now)
      state = JSON.parse(JSON.stringify(decision.state)) as Json
      wakeAt = decision.wakeAt ?? null
      waiting = decision.waiting ?? null
      for (const buildset of decision.buildsets ?? []) built.push({ ...buildset, at: now })
    },
    start: (now) => run.feed({ kind: 'start' }, now),
    now: (now) => run.feed({ kind: 'now' }, now),
    change(id, now, { important = true, ...fields } = {}) {
      run.feed({ kind: 'change', change: changeOf({ id, ...fields }), important }, now)
    },
    until(now) {
      while (wakeAt !== null && wakeAt <= now) run.feed({ kind: 'timer' }, wakeAt)
    },
    again: (next) => follow(next, state, wakeAt),
  }
  return run
}

export function rulesOf(plugin: PluginInstance): SchedulerRules {
  const host = createTestHost()
  host.apply(plugin)
  return host.records.schedulers[0]!
}

/** A change as the master stores it. */
export function changeOf({ id = 1, source = 'test', ...fields }: Partial<Change>): Change {
  const input = { who: 'jane', files: ['a.c'], comments: 'a change', branch: 'main', revision: 'r1', ...fields }
  return acceptedChange(input, id, 0, source)
}
