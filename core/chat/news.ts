import {
  type BuildFinished,
  type BuildId,
  type ChatFilter,
  type ChatNews,
  newsOfBuild,
  newsOfStart,
} from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../store/store.ts'
import { pageOfBuild, pageOfSlave, span } from './describe.ts'

/** Something places may want to be told: of which kinds it is, and a line of it. */
export interface News {
  readonly kinds: readonly ChatNews[]
  readonly text: string
  /** What it is about; `null`: no builder. */
  readonly builder: string | null
  readonly branch: string | null
  /** The build that has ended; `null`: none has. */
  readonly ended: BuildId | null
  /** Path of the page about it; `null`: there is none. */
  readonly page: string | null
}

/** `undefined`: nobody is told of such events. */
export function newsOf({ name, event }: StoredEvent): News | undefined {
  if (name === 'buildStarted') return { ...newsOfStart(event), ...about(event), ended: null }
  if (name === 'buildFinished')
    return event.result === 'retry' ? undefined : { ...newsOfBuild(event), ...about(event), ended: event.build }
  const general = { builder: null, branch: null, ended: null, page: null }
  if (name === 'slaveMissing') {
    const heard =
      event.lastHeard === null ? 'it never was here' : `last heard of ${span(event.at - event.lastHeard)} ago`
    return {
      kinds: ['slaveMissing'],
      text: `slave ${event.slave} is missing: ${heard}`,
      ...general,
      page: pageOfSlave(event.slave),
    }
  }
  if (name === 'slaveBack')
    return { kinds: ['slaveBack'], text: `slave ${event.slave} is back`, ...general, page: pageOfSlave(event.slave) }
  if (name === 'configApplied' && event.changes.length > 0)
    return { kinds: ['reconfig'], text: `a new config is in force: ${event.changes.join('; ')}`, ...general }
  if (name === 'configRejected')
    return { kinds: ['reconfig'], text: 'a new config has problems; the old one stays in force', ...general }
  return undefined
}

/** Whether a place with this filter is to hear of it. */
export function passes(
  { builder, branch }: News,
  filter: ChatFilter,
  categoryOf: (builder: string) => string | null,
): boolean {
  if (builder === null) return true
  if (filter.builders && !filter.builders.includes(builder)) return false
  if (filter.branches && !filter.branches.includes(branch ?? '')) return false
  return !filter.categories || filter.categories.includes(categoryOf(builder) ?? '')
}

const about = (event: Pick<BuildFinished, 'builder' | 'branch' | 'number'>) => ({
  builder: event.builder,
  branch: event.branch,
  page: pageOfBuild(event),
})
