import type { BuildFinished, Query } from 'boltbot/plugin-sdk'
import type { Mailing } from './options.ts'

/** Whether builds like this one are spoken of at all. */
export async function passes(
  query: Query,
  { builders, categories, branches, schedulers }: Mailing,
  event: BuildFinished,
): Promise<boolean> {
  if (builders !== null && !builders.includes(event.builder)) return false
  if (branches !== null && !branches.includes(event.branch)) return false
  if (schedulers !== null && !(await schedulersOf(query, event)).some((name) => schedulers.includes(name))) return false
  if (categories === null) return true
  const category = (await query.builder(event.builder))?.category
  return typeof category === 'string' && categories.includes(category)
}

/** Of all requests that were built together. */
async function schedulersOf(query: Query, { requests }: BuildFinished): Promise<readonly string[]> {
  const names: string[] = []
  for (const id of requests) {
    const request = await query.request(id)
    const buildset = request && (await query.buildset(request.buildset))
    if (buildset?.scheduler) names.push(buildset.scheduler)
  }
  return names
}
