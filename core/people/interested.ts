import type {
  BuildNews,
  Change,
  InterestedPerson,
  InterestingBuild,
  InterestReason,
  SubscribedBy,
} from 'boltbot/plugin-sdk'
import type { PeopleSpec } from '../config/model.ts'
import type { Subscription } from '../store/subscriptions.ts'
import { ownersOf } from './owners.ts'
import { sheriffAt } from './rota.ts'

export interface InterestedDeps {
  readonly spec: Pick<PeopleSpec, 'owners' | 'sheriff'>
  readonly changesOf: (ids: readonly number[]) => Promise<readonly Change[]>
  readonly subscribers: (build: InterestingBuild) => Promise<readonly Subscription[]>
  readonly isQuiet: (build: InterestingBuild) => Promise<boolean>
}

/** What subscribers are told who chose no events; `null`: all that the way tells. */
const USUAL_NEWS: Readonly<Record<SubscribedBy, readonly BuildNews[] | null>> = {
  mail: null,
  irc: ['problem', 'recovery', 'exception'],
}

/** Who wants to know of a build, in the order of the reasons: change, owner, sheriff, subscriber. */
export async function interestedIn(
  { spec, changesOf, subscribers, isQuiet }: InterestedDeps,
  build: InterestingBuild,
  by: SubscribedBy,
): Promise<readonly InterestedPerson[]> {
  const reasons = new Map<string, InterestReason[]>()
  const add = (who: string, reason: InterestReason) => reasons.getOrInsertComputed(who, () => []).push(reason)
  if (by === 'mail') {
    for (const who of new Set(build.blamelist)) add(who, { kind: 'change' })
    if (spec.owners.length > 0 && build.changes.length > 0) {
      const files = (await changesOf(build.changes)).flatMap((change) => change.files)
      for (const { who, pattern } of ownersOf(spec.owners, files)) add(who, { kind: 'owner', pattern })
    }
    const sheriff = spec.sheriff === null ? null : sheriffAt(spec.sheriff, build.at)
    if (sheriff !== null) add(sheriff, { kind: 'sheriff' })
  }
  const wanting = (await subscribers(build)).filter((one) => one.by === by && wants(one, build))
  const isSpared = by === 'irc' && wanting.length > 0 && (await isQuiet(build))
  if (!isSpared) for (const { who, kind, name } of wanting) add(who, { kind: 'subscriber', what: `${kind} ${name}` })
  return [...reasons].map(([who, list]) => ({ who, reasons: list }))
}

function wants({ by, events }: Subscription, { kinds }: InterestingBuild): boolean {
  const wanted = events ?? USUAL_NEWS[by]
  return wanted === null || kinds === undefined || kinds.some((kind) => wanted.includes(kind))
}
