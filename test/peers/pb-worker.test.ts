import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { startLiveMaster } from './rig/live-master.ts'
import { absent, startWorker } from './rig/worker.ts'
import { sh, type Wire, workerStories } from './rig/worker-stories.ts'

const skip = absent('buildbot-worker')
const wire: Wire = {
  name: 'PB',
  transports: (port, onListening) => [stockWorkers({ port, onListening })],
  options: [],
}

workerStories(wire)

test('a worker that asks to be let go says so, and exits when it is told to', { skip }, async () => {
  let port = 0
  await using host = createTestHost({ slaves: { bot: 'pass1' } })
  await host.run(stockWorkers({ port: 0, onListening: (bound) => void (port = bound) }))
  await using worker = startWorker(port, { options: ['--allow-shutdown=file'] })
  const connection = await until(() => host.attached[0], { what: 'the worker to attach' })
  // A stamp that is older than the worker's start says nothing.
  const later = new Date(Date.now() + 60_000)
  writeFileSync(join(worker.basedir, 'shutdown.stamp'), '')
  utimesSync(join(worker.basedir, 'shutdown.stamp'), later, later)
  await until(connection.leaving!, { what: 'the worker to ask', deadline: 30_000 })
  await connection.shutdown()
  assert.equal(await until(worker.exited, { what: 'the worker to exit' }), 0)
})

test('twenty workers do five hundred builds', { skip, timeout: 170_000 }, async () => {
  let port = 0
  const slaves = Array.from({ length: 20 }, (_, number) => slave({ name: `bot-${number}`, password: 'pass1' }))
  const builders = slaves.map((one) =>
    builder({ name: `on-${one.name}`, slaves: [one], mergeRequests: false, factory: buildFactory([sh('echo hello')]) }),
  )
  await using live = await startLiveMaster({
    transports: [stockWorkers({ port: 0, onListening: (bound) => void (port = bound) })],
    slaves,
    builders,
  })
  await using stack = new AsyncDisposableStack()
  for (const { name } of slaves) stack.use(startWorker(port, { name }))
  const connected = () => live.events.filter(({ name }) => name === 'slaveConnected').length === 20
  await until(connected, { what: 'all workers to attach', deadline: 60_000 })
  for (let round = 0; round < 25; round++)
    for (const { name } of builders) await live.master.force({ builder: name, who: 'joe', reason: 'many' }, 'test')
  const finished = () => live.events.filter(({ name }) => name === 'buildFinished')
  await until(() => finished().length === 500, {
    what: 'five hundred builds',
    deadline: 120_000,
    seen: () => `${finished().length} builds`,
  })
  assert.ok(finished().every(({ event }) => (event as { result: string }).result === 'success'))
  assert.deepEqual(live.log.find('error'), [])
})

test('a worker builds over TLS, and checks the certificate', { skip, timeout: 60_000 }, async () => {
  const tls = join(import.meta.dirname, '../fixtures/tls')
  const certificate = join(tls, 'localhost.crt')
  let port = 0
  const bot = slave({ name: 'bot', password: 'pass1' })
  await using live = await startLiveMaster({
    transports: [
      stockWorkers({
        port: `ssl:0:privateKey=${join(tls, 'localhost.key')}:certKey=${certificate}`,
        onListening: (bound) => void (port = bound),
      }),
    ],
    slaves: [bot],
    builders: [builder({ name: 'full', slaves: [bot], factory: buildFactory([sh('echo hello')]) })],
  })
  const over = { options: ['--use-tls'], master: `localhost:${port}` }
  const doubter = startWorker(port, over)
  const refused = () =>
    live.log.find('warn', 'connection broke the protocol').map(({ fields }) => String(fields.reason))
  await until(() => refused().some((reason) => /unknown ca|unknown certificate/i.test(reason)), {
    what: 'the worker to refuse a certificate it does not know',
    deadline: 20_000,
    seen: () => refused().join('\n'),
  })
  await doubter[Symbol.asyncDispose]()
  await using _worker = startWorker(port, { ...over, env: { SSL_CERT_FILE: certificate } })
  const finished = await live.build('full', 30_000)
  assert.equal(finished.result, 'success')
  assert.equal(await live.text(finished.build, 0), 'hello\n')
})
