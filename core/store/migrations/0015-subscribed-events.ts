import type { Migration } from './migration.ts'

/** Which events somebody subscribed to: JSON; null: those that their way has without being asked. */
export const subscribedEvents: Migration = {
  number: 15,
  async up(db) {
    await db.schema.alterTable('subscriptions').addColumn('events', 'text').execute()
  },
}
