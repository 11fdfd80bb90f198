import type { Change, Clock, HookEvent, Log, SchedulerInput, SchedulerRules } from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../store/store.ts'

/** What events of the journal mean for one scheduler; `undefined`: nothing. */
export type SchedulerInputs = (rules: SchedulerRules, stored: StoredEvent) => Promise<SchedulerInput | undefined>

export interface SchedulerInputsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
}

const WANTS_DEADLINE_MS = 30_000

export function createSchedulerInputs({ clock, log, changesOf }: SchedulerInputsDeps): SchedulerInputs {
  async function changeInput(rules: SchedulerRules, change: Change): Promise<SchedulerInput | undefined> {
    try {
      const wanted = await withDeadline(Promise.try(() => rules.wants?.(change) ?? true))
      return wanted === false ? undefined : { kind: 'change', change, important: wanted !== 'unimportant' }
    } catch (error) {
      log.error('scheduler could not judge a change, it counts as important', {
        scheduler: rules.name,
        change: change.id,
        error,
      })
      return { kind: 'change', change, important: true }
    }
  }

  async function buildsetInput(
    rules: SchedulerRules,
    event: HookEvent<'buildsetFinished'>,
  ): Promise<SchedulerInput | undefined> {
    const { scheduler, result, sourceStamp } = event
    if (scheduler === null || !rules.follows?.includes(scheduler)) return undefined
    return { kind: 'buildset', scheduler, result, sourceStamp, changes: await changesOf(sourceStamp.changes) }
  }

  function withDeadline<T>(wanted: Promise<T>): Promise<T> {
    const over = Promise.withResolvers<never>()
    using _timer = clock.timer(WANTS_DEADLINE_MS, () =>
      over.reject(new Error(`no answer within ${WANTS_DEADLINE_MS / 1000} s`)),
    )
    return Promise.race([wanted, over.promise])
  }

  return async (rules, stored) => {
    if (stored.name === 'changeAccepted') return changeInput(rules, stored.event.change)
    return stored.name === 'buildsetFinished' ? buildsetInput(rules, stored.event) : undefined
  }
}
