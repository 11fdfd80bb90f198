import type { Onlooker, PastBuild } from 'boltbot/plugin-sdk'
import { isDue } from './modes.ts'
import type { Mailing } from './options.ts'
import { passes } from './passes.ts'
import { interestingOf, recipientsOf } from './recipients.ts'
import { standingAfter } from './streaks.ts'
import { subjectOf } from './subject.ts'

/** The mail that a finished build would have made: to whom, and its subject. Mails about whole buildsets are not foreseen. */
export async function tellsOf(
  looker: Onlooker,
  options: Mailing,
  { build, event, before }: PastBuild,
): Promise<readonly string[]> {
  if (options.buildSetSummary) return []
  const standing = standingAfter(build, event, before)
  if (!isDue(options.mode, event, standing) || !(await passes(looker.query, options, event))) return []
  const { to, cc } = await recipientsOf(looker, options, [interestingOf(event)])
  const subject = subjectOf({ ...event, project: looker.query.project().name, standing }, null, options.subject)
  return [...to, ...cc].map((address) => `mail to ${address}: ${subject}`)
}
