import type { WhyNot } from 'boltbot/plugin-sdk'
import type { Store } from './store.ts'

/** Stores why the heads of these builders' queues wait; `null`: nothing waits. */
export function saveWhyNots(store: Store, reasons: ReadonlyMap<string, WhyNot | null>): Promise<void> {
  return store.transition('saveWhyNots', async (trx) => {
    for (const [builder, why] of reasons) {
      if (why === null) {
        await trx.deleteFrom('why_nots').where('builder', '=', builder).execute()
        continue
      }
      const row = { code: why.code, text: why.text, at: store.now() }
      await trx
        .insertInto('why_nots')
        .values({ builder, ...row })
        .onConflict((conflict) => conflict.column('builder').doUpdateSet(row))
        .execute()
    }
  })
}

/** Reasons of a previous process: what it waited for is not known to wait any more. */
export function forgetWhyNots(store: Store): Promise<void> {
  return store.transition('forgetWhyNots', async (trx) => {
    await trx.deleteFrom('why_nots').execute()
  })
}
