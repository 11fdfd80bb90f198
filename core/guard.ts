import { type GuardedAction, type Log, messageOf } from 'boltbot/plugin-sdk'
import { checkAccess } from './access.ts'
import type { Config } from './config/model.ts'
import type { PeopleBook } from './people/people.ts'
import { recordAction } from './store/audits.ts'
import type { Store } from './store/store.ts'

export interface GuardDeps {
  readonly store: Store
  readonly log: Log
  readonly config: () => Config
  readonly people: () => PeopleBook
  /** The taps of `guardAction`. */
  readonly guard: (action: GuardedAction) => Promise<void>
}

/**
 * The one guard before every act of a person, whichever way it came: the policy of the config, then the taps, then the record. What
 * cannot be recorded is done all the same: a full disk must not keep anybody from stopping the master.
 */
export function createGuard({
  store,
  log,
  config,
  people,
  guard,
}: GuardDeps): (action: GuardedAction) => Promise<void> {
  const record = (action: GuardedAction, refusal: string | null) =>
    recordAction(store, action, refusal).catch((error: unknown) =>
      log.error('action not recorded', { action: action.action, who: action.who, via: action.via, refusal, error }),
    )
  return async (action) => {
    try {
      await checkAccess(config(), people(), action)
      await guard(action)
    } catch (error) {
      await record(action, messageOf(error))
      throw error
    }
    await record(action, null)
  }
}
