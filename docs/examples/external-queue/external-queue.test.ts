import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { builder, buildFactory, defineMaster, defineStep, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { externalQueue } from './external-queue.ts'

const make = defineStep({
  name: 'make',
  async run(context) {
    const { exitCode } = await context.run({ kind: 'shell', command: ['make', `${context.sourceStamp.revision}`] })
    return { result: exitCode === 0 ? 'success' : 'failure' }
  },
})

test('queued builds are built one after the other, and how they went is written back', async (t) => {
  const { db, database, port, wake } = await prepare(t)
  const bot = slave({ name: 'bot' })
  const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([make()]) })
  const plugins = [externalQueue({ database, port, builder: 'full' })]
  const config = defineMaster({
    projectName: 'Queue',
    transports: [],
    slaves: [bot],
    builders: [full],
    plugins,
    people: { mailDomain: 'example.org' },
  })
  await using rig = await createRig({ config, slaves: { bot: [{ match: 'make bad', result: 2 }] } })

  const insert = db.prepare("insert into builds (id, branch, revision, requested_by) values (?, 'main', ?, 'jane')")
  const queue = db.prepare('insert into build_queue (id) values (?)')
  for (const [id, revision] of [
    [7, 'good'],
    [8, 'bad'],
  ] as const) {
    insert.run(id, revision)
    queue.run(id)
  }
  await wake()
  const first = await rig.until.build('full', 'success')
  assert.equal(first.reason, 'build 7 of the external queue')
  await rig.until.build('full', 'failure')
  assert.deepEqual(
    db
      .prepare('select id, status from builds order by id')
      .all()
      .map((row) => ({ ...row })),
    [
      { id: 7, status: 'success' },
      { id: 8, status: 'failure' },
    ],
  )
  assert.deepEqual(
    rig.mails.map(({ to, subject }) => `${to}: ${subject}`),
    ['jane@example.org: build 7 of main: success', 'jane@example.org: build 8 of main: failure'],
  )
  assert.match(rig.mails[1]!.text, /after .*, at revision bad\.$/m)
  await wake() // the queue is empty: nothing happens

  // Nobody connected: the end of any other build finds it.
  insert.run(9, 'good')
  queue.run(9)
  await rig.force('full')
  await rig.until.build('full', 'success')
  assert.equal((await rig.until.build('full', 'success')).reason, 'build 9 of the external queue')
})

async function prepare(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'external-queue-'))
  const database = join(folder, 'builds.sqlite')
  const db = new DatabaseSync(database)
  db.exec(readFileSync(join(import.meta.dirname, 'schema.sql'), 'utf8'))
  t.after(async () => {
    db.close()
    await rm(folder, { recursive: true })
  })
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  const wake = async () => {
    const socket = connect(port, '127.0.0.1')
    socket.resume()
    await once(socket, 'close')
  }
  return { db, database, port, wake }
}
