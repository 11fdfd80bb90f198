import type { BuildFinished } from 'boltbot/plugin-sdk'
import { oneLine } from './plain-text.ts'
import type { Told } from './streaks.ts'

/** What a subject may be made of. */
export type SubjectFacts = Pick<
  BuildFinished,
  'builder' | 'number' | 'result' | 'previousResult' | 'branch' | 'revision' | 'slave' | 'text'
> &
  Pick<Told, 'standing'> & { readonly project: string }

const MAX_SUBJECT = 200

/**
 * `[first failure] Hello: full (main), broken since #12`. Behind the brackets, which mail programs leave out when they compare, it is
 * the same for all mails of a thread.
 */
export function subjectOf(
  facts: SubjectFacts,
  streak: Told['streak'],
  own: ((facts: SubjectFacts) => string) | undefined,
): string {
  const { project, builder, number, branch, standing } = facts
  const place = `${builder}${branch === null ? '' : ` (${branch})`}`
  const since = streak === null ? `#${number}` : streak.since === null ? 'broken' : `broken since #${streak.since}`
  const standard = `[${standing}] ${project}: ${place}, ${since}`
  return oneLine(own === undefined ? standard : own(facts), MAX_SUBJECT)
}
