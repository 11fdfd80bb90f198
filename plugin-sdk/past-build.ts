import type { BuildFinished } from './events.ts'
import type { Query } from './host.ts'
import type { BuildView } from './model.ts'

/** A finished build as it was told of, and the one before it. */
export interface PastBuild {
  /** As it was told, but for its id, which is 0. */
  readonly event: BuildFinished
  readonly build: BuildView
  /** The last one before it of its builder and branch that had a result of its own. */
  readonly before: BuildView | null
}

/**
 * For looking back: the event of a build that has finished, `null` when it has not.
 * @example const past = await pastBuild(host.query, (await host.query.buildByNumber('full', 12))!)
 */
export async function pastBuild(query: Pick<Query, 'builds'>, build: BuildView): Promise<PastBuild | null> {
  const { sourceStamp, changes, id, builder, number, slave, requests, blamelist, reason, text, startedAt } = build
  const { result, finishedAt } = build
  if (result === null || finishedAt === null) return null
  const { branch, revision } = sourceStamp
  const older = await query.builds({ builder, before: id, limit: 50 })
  const before = older.find(
    (one) =>
      one.sourceStamp.branch === branch && one.result !== null && one.result !== 'retry' && one.result !== 'cancelled',
  )
  const facts = { builder, number, slave, requests, blamelist, reason, text, startedAt, branch, revision, result }
  const event: BuildFinished = {
    ...facts,
    eventId: 0,
    at: finishedAt,
    build: id,
    changes: changes.map((change) => change.id),
    previousResult: before?.result ?? null,
  }
  return { build, event, before: before ?? null }
}
