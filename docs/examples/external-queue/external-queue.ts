import { once } from 'node:events'
import { createServer } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { type BuildFinished, definePlugin, formatDuration, type Host } from 'boltbot/plugin-sdk'

export interface ExternalQueueOptions {
  /** The SQLite file with the tables `builds` and `build_queue`; see `schema.sql`. */
  readonly database: string
  /** Who connects here wakes the master: something was put into the queue. */
  readonly port: number
  readonly builder: string
}

/** As the queries select it. */
interface Row {
  readonly id: number
  readonly branch: string | null
  readonly revision: string | null
  readonly requested_by: string
}

/**
 * Builds what an external database queues, one after the other, writes back how each build went, and mails who asked for it. Durable: an end
 * that happened while the database was away is written when it is back.
 */
export const externalQueue = definePlugin({
  name: 'external-queue',
  kind: 'service',
  needs: ['buildsets', 'notify'],
  durable: true,
  apply(host, options: ExternalQueueOptions) {
    host.tap('buildFinished', async (ended) => {
      if (ended.builder !== options.builder) return
      await record(host, options, ended)
      await startNext(host, options)
    })
  },
  async start(host, options) {
    const server = createServer((socket) => {
      socket.end()
      socket.on('error', () => {}) // the wake-up came, whatever becomes of the connection
      startNext(host, options).catch((error) => host.log.error('next build not started', { error }))
    }).listen(options.port, '127.0.0.1')
    await once(server, 'listening')
    return { [Symbol.dispose]: () => server.close() }
  },
})

/** If the builder is idle, starts the next build of the queue. Asked for twice, it is the same one: its key is. */
async function startNext(host: Host, { database, builder }: ExternalQueueOptions): Promise<void> {
  if (!(await host.query.isIdle(builder))) return
  using db = new DatabaseSync(database)
  const next = db
    .prepare('select id, branch, revision from build_queue join builds using (id) order by position limit 1')
    .get() as Row | undefined
  if (next === undefined) return
  await host.submitBuildset({
    key: `external-queue-${next.id}`,
    builders: [builder],
    reason: `build ${next.id} of the external queue`,
    sourceStamp: { branch: next.branch, revision: next.revision },
    properties: { external_id: next.id },
  })
  db.prepare('delete from build_queue where id = ?').run(next.id)
}

async function record(host: Host, { database }: ExternalQueueOptions, ended: BuildFinished): Promise<void> {
  const id = (await host.query.build(ended.build))?.properties.external_id?.value
  if (typeof id !== 'number') return // not of this queue
  const { result, startedAt, at, eventId } = ended
  using db = new DatabaseSync(database)
  const row = db
    .prepare('update builds set status = ?, started_at = ?, finished_at = ? where id = ? returning *')
    .get(result, startedAt, at, id) as Row | undefined
  if (row === undefined || result === 'retry') return // a retry is built again
  const subject = `build ${id} of ${row.branch ?? 'the trunk'}: ${result}`
  const text = `${subject}, after ${formatDuration(at - startedAt)}, at revision ${row.revision ?? 'unknown'}.\n`
  await host.notify({ key: `ended:${eventId}`, to: [{ who: row.requested_by }], subject, text })
}
