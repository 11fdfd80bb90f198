import type { Change } from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../../core/store/store.ts'
import { SCHEDULERS, type SchedulerName, WANTS } from './plan.ts'
import type { Verdict } from './verdict.ts'

/**
 * Which change each scheduler owes a buildset. A scheduler owes what is accepted while it is in force: from the end of the
 * reconfigure that brought it to the begin of the one that takes it. What waits in it then goes with it.
 */
export interface Presence {
  follow(event: StoredEvent): void
  /** A config is being put in force: schedulers it has not are gone, those it has anew are not there yet. */
  changing(next: ReadonlySet<SchedulerName>): void
  /** It is in force. */
  changed(now: ReadonlySet<SchedulerName>): void
  /** Its process died: schedulers whose place in the journal is not stored begin anew. */
  died(stored: ReadonlySet<string>): void
  /** At the end of all: nothing is owed any more. */
  settle(): void
}

export function createPresence({ broken }: Verdict): Presence {
  const present = new Set<SchedulerName>()
  const owed = new Map(SCHEDULERS.map((name) => [name, new Set<number>()]))
  const built = new Map<string, Set<number>>()
  /** Good buildsets of `tests` that `package` has to build, by their changes. */
  const upstream = new Map<string, number>()
  const followed = new Map<string, number>()
  const stampsOfTests = new Map<number, string>()

  const leave = (name: SchedulerName) => {
    present.delete(name)
    owed.get(name)?.clear()
    if (name === 'package') upstream.clear()
  }

  function accepted(change: Change): void {
    for (const name of present) if (WANTS[name](change)) owed.get(name)?.add(change.id)
  }

  function created(scheduler: string, changes: readonly number[], buildset: number): void {
    if (scheduler === 'tests') stampsOfTests.set(buildset, changes.join())
    if (scheduler === 'package') {
      followed.set(changes.join(), (followed.get(changes.join()) ?? 0) + 1)
      return
    }
    const before = built.getOrInsertComputed(scheduler, () => new Set())
    for (const change of changes) {
      if (before.has(change))
        broken('each change reaches each scheduler exactly once', `"${scheduler}" built change ${change} again`)
      before.add(change)
      owed.get(scheduler as SchedulerName)?.delete(change)
    }
  }

  return {
    follow({ name, event }) {
      if (name === 'changeAccepted') accepted(event.change)
      if (name === 'buildsetCreated' && event.scheduler !== null)
        created(event.scheduler, event.changes, event.buildset)
      if (name !== 'buildsetFinished' || event.scheduler !== 'tests') return
      const stamp = stampsOfTests.get(event.buildset) ?? ''
      const good = event.result === 'success' || event.result === 'warnings'
      if (good && present.has('package')) upstream.set(stamp, (upstream.get(stamp) ?? 0) + 1)
    },
    changing(next) {
      for (const name of SCHEDULERS) if (!next.has(name)) leave(name)
    },
    changed(now) {
      for (const name of now) present.add(name)
    },
    died(stored) {
      for (const name of [...present]) if (!stored.has(name)) leave(name)
    },
    settle() {
      for (const [name, changes] of owed) {
        if (changes.size > 0)
          broken('each change reaches each scheduler exactly once', `"${name}" never built ${[...changes]}`)
      }
      for (const [stamp, count] of upstream) {
        const times = followed.get(stamp) ?? 0
        if (times < count)
          broken('a good upstream buildset is followed exactly once', `of changes [${stamp}]: ${times} times`)
      }
      for (const [stamp, times] of followed) {
        if (times > 1)
          broken('a good upstream buildset is followed exactly once', `of changes [${stamp}]: ${times} times`)
      }
    },
  }
}
