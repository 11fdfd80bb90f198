import type { AuditView, GuardedAction, Query } from 'boltbot/plugin-sdk'
import type { Store } from './store.ts'

/** Notes who asked for what, and whether it was allowed. */
export function recordAction(store: Store, action: GuardedAction, refusal: string | null): Promise<void> {
  return store.transition('recordAction', async (trx, tell) => {
    const { action: name, who, via, builder, build, request, slave, reason } = action
    const { proofs = null } = action
    const subject = { builder, build, request, slave }
    await trx
      .insertInto('audits')
      .values({
        at: store.now(),
        action: name,
        who,
        via,
        proofs: proofs === null ? null : JSON.stringify(proofs),
        subject: JSON.stringify(subject),
        reason: reason ?? null,
        refusal,
      })
      .execute()
    tell('actionJudged', { ...action, refusal })
  })
}

/** Newest first. */
export async function readAudits(
  store: Store,
  { limit = 20 }: Parameters<Query['audits']>[0] = {},
): Promise<AuditView[]> {
  const rows = await store.db.selectFrom('audits').selectAll().orderBy('id', 'desc').limit(limit).execute()
  return rows.map(({ id, at, action, who, via, proofs, subject, reason, refusal }) => ({
    id,
    at,
    action: action as AuditView['action'], // stored above
    who,
    via,
    proofs: proofs === null ? null : (JSON.parse(proofs) as string[]),
    ...(JSON.parse(subject) as Pick<AuditView, 'builder' | 'build' | 'request' | 'slave'>),
    reason,
    refusal,
  }))
}
