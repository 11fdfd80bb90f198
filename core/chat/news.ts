import type { BuildFinished, ChatFilter, ChatNews } from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../store/store.ts'
import { buildName, nameOf, span, verdict } from './describe.ts'
import { isBad } from './find.ts'

/** Something places may want to be told: of which kinds it is, and a line of it. */
export interface News {
  readonly kinds: readonly ChatNews[]
  readonly text: string
  /** What it is about; `null`: no builder. */
  readonly builder: string | null
  readonly branch: string | null
}

/** `undefined`: nobody is told of such events. */
export function newsOf({ name, event }: StoredEvent): News | undefined {
  if (name === 'buildStarted')
    return {
      kinds: ['started'],
      text: `build ${buildName(event)} has started on ${event.slave} (${event.reason})`,
      ...about(event),
    }
  if (name === 'buildFinished') return event.result === 'retry' ? undefined : finished(event)
  const general = { builder: null, branch: null }
  if (name === 'slaveMissing') {
    const heard =
      event.lastHeard === null ? 'it never was here' : `last heard of ${span(event.at - event.lastHeard)} ago`
    return { kinds: ['slaveMissing'], text: `slave ${event.slave} is missing: ${heard}`, ...general }
  }
  if (name === 'slaveBack') return { kinds: ['slaveBack'], text: `slave ${event.slave} is back`, ...general }
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

function finished(event: BuildFinished): News {
  const { result, previousResult } = event
  const kinds: ChatNews[] = ['finished']
  if (result !== 'skipped' && result !== 'retry') kinds.push(result)
  const wasBad = isBad(previousResult)
  if (isBad(result) && !wasBad) kinds.push('problem')
  if ((result === 'success' || result === 'warnings') && wasBad) kinds.push('recovery')
  const change = kinds.includes('recovery') ? ', it is green again' : isBad(result) && wasBad ? ', as before' : ''
  const people = [...new Set(event.blamelist.map(nameOf))]
  const blame = isBad(result) && people.length > 0 ? ` Changes by ${people.slice(0, 8).join(', ')}.` : ''
  const branch = event.branch === null ? '' : ` of ${event.branch}`
  return {
    kinds,
    text: `build ${buildName(event)}${branch} has ended: ${verdict(event)}${change}.${blame}`,
    ...about(event),
  }
}

const about = ({ builder, branch }: { readonly builder: string; readonly branch: string | null }) => ({
  builder,
  branch,
})
