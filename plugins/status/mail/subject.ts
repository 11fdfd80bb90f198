import type { BuildFinished } from 'boltbot/plugin-sdk'
import { oneLine } from './plain-text.ts'

/** What a subject may be made of. */
export type SubjectFacts = Pick<
  BuildFinished,
  'builder' | 'number' | 'result' | 'previousResult' | 'branch' | 'revision' | 'slave' | 'text'
> & { readonly project: string }

const MAX_SUBJECT = 200

/** `[Hello] failure: full #12 (main) failed compile` */
export function subjectOf(facts: SubjectFacts, own: ((facts: SubjectFacts) => string) | undefined): string {
  const { project, result, builder, number, branch, text } = facts
  const place = branch === null ? '' : ` (${branch})`
  const standard = `[${project}] ${result}: ${builder} #${number}${place} ${text.join(' ')}`
  return oneLine(own === undefined ? standard : own(facts), MAX_SUBJECT)
}
