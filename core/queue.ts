import type { Json, SourceStamp } from 'boltbot/plugin-sdk'

/**
 * Rules of a builder's queue, pure: what may be built together, and how long a try waits after a lost slave. The order itself
 * (priority, interrupted ones first, age) is the index of the table of requests.
 */

/** What decides whether two waiting requests may be built together. */
export interface MergeInput {
  readonly sourceStamp: SourceStamp
  readonly properties: Readonly<Record<string, Json>>
  /** The person who forced it, if one did. */
  readonly owner: string | null
}

/**
 * Two requests of a builder may be built together when their keys are equal; `null`: never. Requests that come from changes of
 * one branch merge whatever their revision: the newest is built and its blamelist is everybody's. Others merge only with the
 * same revision, forced ones only with an identical stamp of the same person.
 */
export function mergeKey({ sourceStamp, properties, owner }: MergeInput): string | null {
  const { branch, revision, repository, project, codebase, patch, changes } = sourceStamp
  if (patch !== null) return null
  const source = changes.length > 0 ? 'changes' : { revision }
  return JSON.stringify([branch, repository, project, codebase, source, sorted(properties), owner])
}

/** Source stamps of merged requests, in queue order, as one: the newest revision, all changes. */
export function mergeStamps(stamps: readonly SourceStamp[]): SourceStamp {
  const changes = [...new Set(stamps.flatMap((stamp) => stamp.changes))].sort((a, b) => a - b)
  const last = changes.at(-1)
  const newest = stamps.find((stamp) => last !== undefined && stamp.changes.includes(last)) ?? stamps[0]!
  return { ...newest, changes }
}

/** ms before the next try of a request whose slave was lost so often: at once, then 1 s doubling to 5 min. */
export function retryDelay(losses: number): number {
  return losses <= 1 ? 0 : Math.min(1000 * 2 ** (losses - 2), 300_000)
}

function sorted(properties: Readonly<Record<string, Json>>): readonly (readonly [string, Json])[] {
  return Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))
}
