import type { ChangeId } from 'boltbot/plugin-sdk'
import type { Transaction } from 'kysely'
import { inPieces } from './pieces.ts'
import type { Tables } from './tables.ts'

/** Notes which changes are in a build, so that a change finds its builds. */
export async function noteChanges(
  trx: Transaction<Tables>,
  build: number,
  changes: readonly ChangeId[],
): Promise<void> {
  const rows = [...new Set(changes)].map((change) => ({ change_id: change, build_id: build }))
  for (const piece of inPieces(rows)) await trx.insertInto('build_changes').values(piece).execute()
}
