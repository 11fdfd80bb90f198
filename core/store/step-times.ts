import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** How long each step of a builder took in its last good builds, in ms, the newest last. */
export type StepTimes = Readonly<Record<string, readonly number[]>>

/** Empty for a builder that has had no good build yet. They are written when a build ends: see builds.ts. */
export async function readStepTimes(db: Kysely<Tables>, builder: string): Promise<StepTimes> {
  const row = await db.selectFrom('builders').select('step_times').where('name', '=', builder).executeTakeFirst()
  return row?.step_times == null ? {} : (JSON.parse(row.step_times) as StepTimes)
}
