// Claim: requests are queued, durably, at 5,000 a second and more when many ask at once; one caller who waits for each
// pays a commit and a sync, no more than twice that of a bare durable insert.
import { fdatasyncSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { shellCommand } from '../plugins/steps/index.ts'
import { startBenchMaster } from './bench-master.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const AT_ONCE = 10_000
const ALONE = 1000

await using bench = await startBenchMaster({
  config: {
    slaves: [slave({ name: 'bot', password: 'x' })],
    builders: [
      builder({ name: 'full', slaves: ['bot'], factory: buildFactory([shellCommand({ command: ['true'] })]) }),
    ],
  },
})
await bench.enqueue('full', 1000)
const together: number[] = []
const alone: number[] = []
const bare: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  together.push(await rate(AT_ONCE, () => bench.enqueue('full', AT_ONCE)))
  alone.push(
    await rate(ALONE, async () => {
      for (let i = 0; i < ALONE; i++)
        await bench.master.force({ builder: 'full', who: 'bench', reason: 'bench' }, 'bench')
    }),
  )
  bare.push(durableInserts())
}
report({
  name: 'enqueue, 64 callers',
  ours: median(together),
  against: 5000,
  unit: 'requests/s',
  limit: 'the aim',
  aim: { atLeast: 1 },
})
report({
  name: 'enqueue, 1 caller',
  ours: median(alone),
  against: median(bare),
  unit: 'requests/s',
  limit: 'bare insert, commit and fdatasync',
})

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await work()
  return (count / (performance.now() - from)) * 1000
}

/** Per second: the least that a durable request can cost, in a database of its own. */
function durableInserts(): number {
  const directory = mkdtempSync(join(tmpdir(), 'boltbot-bench-'))
  try {
    const file = join(directory, 'bare.sqlite')
    using database = new DatabaseSync(file)
    database.exec(
      'pragma journal_mode = wal; pragma synchronous = normal; create table rows (id integer primary key, text)',
    )
    const insert = database.prepare('insert into rows (text) values (?)')
    const wal = openSync(`${file}-wal`, 'r+')
    const from = performance.now()
    for (let i = 0; i < ALONE; i++) {
      insert.run('a request')
      fdatasyncSync(wal)
    }
    return (ALONE / (performance.now() - from)) * 1000
  } finally {
    rmSync(directory, { recursive: true })
  }
}
