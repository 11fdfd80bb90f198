/** A process that sends numbered messages by mail, over and over killed: `node outbox-child.ts FILE PORT COUNT`. */

import { createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { createClock, random } from '../../../core/clock.ts'
import { createOutbox } from '../../../core/outbox/outbox.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { createMailCarrier } from '../../../plugins/status/mail/carrier.ts'
import { createSmtp } from '../../../plugins/status/mail/smtp.ts'

const [file = '', port, count] = process.argv.slice(2)
const log = createMemoryLog()
const clock = createClock(log)
const store = await openSqliteStore({ file, clock, log })
const outbox = createOutbox({
  store,
  clock,
  random,
  log,
  owner: 'master#1',
  config: () => ({ projectName: 'Hello', outbox: { admins: [], budget: null, giveUpMs: 86_400_000 } }),
  redact: (text) => text,
})
const connection = {
  fromaddr: 'ci@example.org',
  relayhost: '127.0.0.1',
  smtpPort: Number(port),
  tls: 'none',
  extraHeaders: {},
} as const
const host = {
  people: { mailAddress: () => null },
  query: { project: () => ({ name: 'Hello', url: null }) },
} as unknown as Parameters<typeof createMailCarrier>[0] // no more of it is used
outbox.register(
  'mail',
  createMailCarrier(
    host,
    connection,
    createSmtp(connection, () => undefined, clock),
  ),
)
await outbox.settle()

// As a durable plugin does: from a little before the place it came to, so that some are told again.
const { last } = await store.db
  .selectFrom('outbox')
  .select((eb) => eb.fn.max('id').as('last'))
  .executeTakeFirstOrThrow()
for (let n = Math.max(0, Number(last ?? 0) - 20); n < Number(count); n += 10)
  await Promise.all(
    Array.from({ length: Math.min(10, Number(count) - n) }, (_, i) =>
      outbox.notify('mail', {
        key: `${n + i}`,
        to: [{ scheme: 'mail', address: 'team@example.org' }],
        subject: `${n + i}`,
        text: 'It is on fire.\n',
        thread: `t${(n + i) % 7}`,
      }),
    ),
  )
