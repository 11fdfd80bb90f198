import type { Step } from 'boltbot/plugin-sdk'
import type { Hold } from '../locks.ts'
import type { LeftBuild } from '../store/adoption.ts'

/** What a build has from the process that began it. */
export interface Adopted {
  readonly left: LeftBuild
  /** What its steps hold, by number. */
  readonly holds: Map<number, Hold>
  /** All kinds of steps of its config. */
  readonly kinds: Iterable<Step['definition']>
  /** Keeps its commands at the slave. */
  readonly session: Disposable
}
