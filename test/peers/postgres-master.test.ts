import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from '../e2e/rig/config.ts'
import { reservePort } from '../e2e/rig/ports.ts'
import { story, type World } from '../e2e/rig.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './postgres/server.ts'

describe('a master over PostgreSQL', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server[Symbol.asyncDispose]())

  story('goes on with its build when it is killed with -9, and when the database is', async (world) => {
    const { master, basedir } = await start(world, server)
    await master.call('force', { builder: 'full', who: 'jane', reason: 'first' })
    await master.call('force', { builder: 'full', who: 'joe', reason: 'second' })
    await counts(world, 'began', 1)
    await master.kill('SIGKILL')
    const second = await world.startMaster(basedir)
    await until(() => second.output().includes('command of the process before taken up'), {
      what: 'the build to go on',
    })

    await server.kill()
    await appendFile(world.file('gate'), '')
    await counts(world, 'ended', 1)
    await until(() => second.output().includes('the database stays away'), { what: 'the master to wait' })
    await server.start()

    assert.equal((await second.finished(0)).result, 'success')
    assert.equal((await second.finished(1)).result, 'success')
    assert.equal((await second.log(0, 'work')).toString(), 'began\nended\n')
    assert.deepEqual(await second.call('why'), [])
    const builds = await second.call<readonly { number: number; reason: string }[]>('builds', { builder: 'full' })
    assert.deepEqual(
      builds.map(({ number, reason }) => [number, reason]),
      [
        [1, 'second'],
        [0, 'first'],
      ],
    )
    assert.deepEqual(await readdir(basedir).then((all) => all.filter((name) => name.includes('sqlite'))), [])
    assert.ok(!second.output().includes(SECRET), 'the password of the database is not told')
    await second.kill('SIGTERM')
    assert.equal((await second.exited).code, 0)
  })
})

const SECRET = 'open the database'

/** A master whose builds wait for a gate, and its agent. */
async function start(world: World, server: PostgresServer) {
  const url = new URL(await server.database())
  await server.sql(url.href, `create role locked login password '${SECRET}'; grant all on schema public to locked`)
  url.username = 'locked'
  const port = await reservePort()
  const [record, gate] = [world.file('record'), world.file('gate')]
  const say = (word: string) => `echo ${word}; echo ${word} >> ${record}`
  const script = `${say('began')}; while [ ! -e ${gate} ]; do sleep 0.1; done; ${say('ended')}`
  const config = configText({
    slavePort: port,
    imports: `import { secret } from 'boltbot'`,
    steps: `shellCommand({ name: 'work', command: ${JSON.stringify(script)} })`,
    masterOptions: `store: { postgres: '${url.href}', password: secret('database') },`,
  })
  const master = await world.master(config, {
    prepare: (basedir) => writeFile(join(basedir, 'secrets', 'database'), SECRET, { mode: 0o600 }),
  })
  await world.slave('bot-1', port)
  return { master, basedir: master.basedir }
}

/** Waits until the commands have said a word so often. */
function counts(world: World, word: string, count: number): Promise<unknown> {
  const said = async () => (await readFile(world.file('record'), 'utf8')).split(`${word}\n`).length - 1
  return until(async () => (await said()) >= count, { what: `"${word}" ${count} times`, deadline: 30_000 })
}
