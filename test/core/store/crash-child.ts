import { createClock } from '../../../core/clock.ts'
import { createFileLogStore } from '../../../core/store/logs/file-log-store.ts'
import { openSqliteStore } from '../../../core/store/open.ts'

// Started by crash.test.ts and killed by it: prints a line for each write that was acknowledged, and never ends by itself.
const [kind, path] = process.argv.slice(2)
const quiet = { error() {}, warn() {}, info() {}, debug() {}, child: () => quiet }

if (kind === 'store') {
  const store = await openSqliteStore({ file: path!, clock: createClock(quiet), log: quiet })
  const start = Date.now()
  await Promise.all(
    [0, 1, 2].map(async (lane) => {
      for (let i = 0; ; i++) {
        const key = `${start}-${lane}-${i}`
        await store.transition('put', async (trx, tell) => {
          await trx.insertInto('meta').values({ key, value: 'first' }).execute()
          tell('slaveLost', { slave: key, reason: '' })
          await trx.updateTable('meta').set({ value: 'second' }).where('key', '=', key).execute()
        })
        process.stdout.write(`${key}\n`)
      }
    }),
  )
} else {
  const logs = createFileLogStore({ directory: path!, clock: createClock(quiet), log: quiet })
  const key = { build: 1, step: 0, log: 'stdio', epoch: 1 }
  const length = await logs.length(key)
  process.stdout.write(`${length}\n`)
  for (let i = Math.floor(length / 1000); ; i++) {
    // Each thousand bytes say which they are; the sizes of the writes do not fit them.
    const text = String(i).padStart(999, '.').concat('\n')
    await logs.append(key, 'stdout', Buffer.from(text.slice(0, 300)))
    process.stdout.write(`${await logs.append(key, i % 3 === 0 ? 'stderr' : 'stdout', Buffer.from(text.slice(300)))}\n`)
  }
}
