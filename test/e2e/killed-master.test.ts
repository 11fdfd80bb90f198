import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { BuildView, Change } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { createRepository, JANE, JOE } from './rig/repository.ts'
import { story } from './rig.ts'

story(
  'a master that is killed between two builds loses nothing that was queued, and builds nothing twice',
  async (world) => {
    const repository = await createRepository(world.folder, { 'README.md': 'Hello\n' })
    const port = await reservePort()
    const record = world.file('record')
    const step = `shellCommand({ name: 'note', command: ['node', '-e', ${JSON.stringify(NOTE)}, ${JSON.stringify(record)}, interpolate\`\${'revision'}\`] })`
    const config = configText({
      slavePort: port,
      slaves: ['bot-1', 'bot-2'],
      repourl: repository.url,
      treeStableTimer: '0s',
      steps: step,
      builderOptions: 'mergeRequests: false,',
      masterOptions: `buildLease: '1s',`,
    })
    const first = await world.master(config)
    await first.line(/first poll/)
    for (let n = 0; n < 6; n++)
      await repository.commit({
        files: { [`file-${n}`]: `${n}\n` },
        who: n % 2 ? JANE : JOE,
        comments: `Add file ${n}`,
      })
    await until(() => first.events('requestQueued').length === 6, { what: 'six queued requests', deadline: 20_000 })
    await world.slave('bot-1', port)
    await first.finished(1)
    await first.kill('SIGKILL')

    await repository.commit({ files: { 'file-6': '6\n' }, who: JANE, comments: 'Add file 6 while nobody looks' })
    const second = await world.startMaster(first.basedir)
    await world.slave('bot-2', port)
    const builds = await until(
      async () => {
        const all = await second.call<readonly BuildView[]>('builds', { limit: 100 })
        return all.filter(({ result }) => result === 'success').length >= 7 ? all : undefined
      },
      { what: 'seven good builds', deadline: 45_000 },
    )

    const expected = (await repository.revisions()).slice(1)
    const changes = await second.call<readonly Change[]>('changes')
    assert.deepEqual(changes.map(({ revision }) => revision).reverse(), expected)
    const good = builds.filter(({ result }) => result === 'success')
    assert.deepEqual(good.map(({ sourceStamp }) => sourceStamp.revision).sort(), expected.toSorted())
    assert.deepEqual(
      builds.filter(({ result }) => result !== 'success').map(({ result }) => result),
      builds.filter(({ result }) => result !== 'success').map(() => 'retry'),
    )
    assert.equal(new Set(good.flatMap(({ requests }) => requests)).size, 7)
    assert.deepEqual(await second.call('why'), [])

    // The slaves' own record: every revision, and more than once only where a build was cut off by the kill.
    const noted = (await readFile(record, 'utf8')).trim().split('\n')
    for (const revision of expected) {
      const times = noted.filter((line) => line === revision).length
      const tries = builds.filter(({ sourceStamp }) => sourceStamp.revision === revision).length
      assert.ok(times >= 1 && times <= tries, `${revision} ran ${times} times in ${tries} builds`)
    }
    assert.ok(builds.length <= 8, `${builds.length} builds for 7 commits and one kill`)
  },
)

const NOTE = `require('node:fs').appendFileSync(process.argv[1], process.argv[2] + '\\n')`
