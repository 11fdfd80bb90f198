import type { BuildsetInput, Change, Decision, Json, SchedulerInput, SchedulerRules } from 'boltbot/plugin-sdk'

/**
 * What a scheduler's decision asks for, as buildsets: each with the source of its newest change. @throws when the changes cannot be read.
 */
export async function ordersOf(
  { name, builders }: SchedulerRules,
  input: SchedulerInput,
  { buildsets = [] }: Decision<Json>,
  changesOf: (ids: readonly number[]) => Promise<readonly Change[]>,
): Promise<readonly BuildsetInput[]> {
  const newest = await Promise.all(buildsets.map(({ changes = [] }) => changesOf(changes.slice(-1))))
  return buildsets.map(({ changes = [], ...wanted }, at) => {
    const { branch = null, revision = null, repository = '', project = '', codebase = '' } = newest[at]![0] ?? {}
    const sourceStamp = { branch, revision, repository, project, codebase, changes, ...wanted.sourceStamp }
    return { builders, ...(at === 0 && keyOf(input)), ...wanted, scheduler: name, sourceStamp }
  })
}

/** The key of what a step orders: an order that it gives again after a restart makes nothing new. */
export const triggerKey = (key: string): string => `trigger ${key}`

const keyOf = (input: SchedulerInput) => (input.kind === 'trigger' && input.key ? { key: triggerKey(input.key) } : {})
