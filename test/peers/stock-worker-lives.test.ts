import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BuildView } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { configText, PASSWORD } from '../e2e/rig/config.ts'
import { reservePort } from '../e2e/rig/ports.ts'
import { story } from '../e2e/rig.ts'
import { startLiveMaster } from './rig/live-master.ts'
import { absent, startWorker } from './rig/worker.ts'
import { config, sh, type Wire } from './rig/worker-stories.ts'

const skip = absent('buildbot-worker')

const wires: readonly Wire[] = [
  { name: 'PB', transports: (port, onListening) => [stockWorkers({ port, onListening })], options: [] },
  {
    name: 'msgpack',
    transports: (port, onListening) => [agents({ port, onListening })],
    options: ['--protocol=msgpack_experimental_v7'],
  },
]

/** Begins, waits until it may end, and notes both. */
const patient = (record: string, gate: string) =>
  `echo "began $$" >> ${record}; while ! test -e ${gate}; do sleep 0.1; done; echo ended >> ${record}`

for (const wire of wires) {
  if (skip) test(`${wire.name}: the lives of stock workers and masters`, { skip })
  else lives(wire)
}

function lives(wire: Wire): void {
  story(
    `${wire.name}: a master is killed with -9 under a stock worker; its build is retried once, and nothing is doubled`,
    async (world) => {
      const [pbPort, port] = [await reservePort(), await reservePort()]
      const [record, gate] = [world.file('record'), world.file('gate')]
      const text = configText({
        slavePort: port,
        steps: `shellCommand({ name: 'wait', command: ['sh', '-c', ${JSON.stringify(patient(record, gate))}] })`,
        builderOptions: 'mergeRequests: false,',
        masterOptions: `buildLease: '1s',`,
        imports: `import { stockWorkers } from 'boltbot/plugins/slaves/pb'`,
      }).replace('transports: [', `transports: [stockWorkers({ port: ${pbPort} }), `)
      const first = await world.master(text)
      const worker = world.use(
        startWorker(wire.name === 'PB' ? pbPort : port, { name: 'bot-1', password: PASSWORD, options: wire.options }),
      )
      await first.event('slaveConnected')
      for (const reason of ['one', 'two']) await first.call('force', { builder: 'full', who: 'jane', reason })
      const pid = await until(
        async () => /began (\d+)/.exec(existsSync(record) ? await readFile(record, 'utf8') : '')?.[1],
        { what: 'the command to begin', deadline: 20_000 },
      )
      await first.kill('SIGKILL')
      const second = await world.startMaster(first.basedir)
      await second.event('slaveConnected', undefined, 60_000)
      await until(() => !existsSync(`/proc/${pid}`), {
        what: 'the worker to end the command of before',
        deadline: 20_000,
      })
      await appendFile(gate, '')
      const builds = await until(
        async () => {
          const all = await second.call<readonly BuildView[]>('builds', { limit: 100 })
          return all.filter(({ result }) => result === 'success').length === 2 ? all : undefined
        },
        { what: 'two good builds', deadline: 30_000, seen: () => worker.log() },
      )
      const seen = builds.map(({ number, result, requests }) => `#${number} ${result} of ${requests}`).toSorted()
      assert.deepEqual(seen, ['#0 retry of 1', '#1 success of 1', '#2 success of 2'])
      const lines = (await readFile(record, 'utf8')).trim().split('\n')
      assert.equal(lines.filter((line) => line.startsWith('began')).length, 3)
      assert.equal(lines.filter((line) => line === 'ended').length, 2)
      assert.deepEqual(await second.call('why'), [])
      assert.equal(worker.child.exitCode, null, 'it is the same process all the time')
    },
  )

  const told = (what: string, body: (run: Run) => Promise<void>) =>
    test(`${wire.name}: ${what}`, { timeout: 120_000 }, async () => {
      let port = 0
      const steps = [sh('touch began; while ! test -e gate; do sleep 0.1; done; echo done')]
      await using live = await startLiveMaster(config(wire, steps, 0, (bound) => void (port = bound)))
      await using worker = startWorker(port, { options: [...wire.options, '--allow-shutdown=signal'] })
      await live.event('slaveConnected')
      const building = live.build('full', 60_000)
      const folder = join(worker.basedir, 'full/build')
      await until(() => existsSync(join(folder, 'began')), { what: 'the command to begin', deadline: 20_000 })
      await body({ live, worker, building, open: () => appendFile(join(folder, 'gate'), '') })
    })

  told('a worker that the master lets go finishes its build, and exits', async ({ live, worker, building, open }) => {
    await live.master.releaseSlave({ slave: 'bot', who: 'joe', reason: 'new disk' }, 'test')
    const { requests } = await live.master.force({ builder: 'full', who: 'joe', reason: 'later' }, 'test')
    assert.equal(worker.child.exitCode, null)
    await open()
    assert.equal((await building).result, 'success')
    assert.equal(await until(worker.exited, { what: 'the worker to exit', deadline: 30_000 }), 0)
    assert.equal((await live.master.query.request(requests[0]!))?.state, 'waiting', 'it is given nothing more')
    await live.event('slaveLost')
  })

  told(
    'a worker that is stopped in the middle takes its command along; the build is for the next',
    async ({ live, worker, building }) => {
      await worker.kill('SIGTERM')
      assert.equal((await building).result, 'retry')
      await live.event('slaveLost')
      assert.equal((await live.master.query.requests({})).length, 1)
      assert.match(readFileSync(join(worker.basedir, 'twistd.log'), 'utf8'), /Server Shut Down|Received SIGTERM/)
    },
  )

  // Over msgpack it has no words for this.
  if (wire.name === 'PB')
    told('a worker that asks to be let go finishes its build, and exits', async ({ live, worker, building, open }) => {
      worker.child.kill('SIGHUP')
      await until(async () => (await live.master.query.slaves())[0]!.leaving, {
        what: 'the worker to ask',
        deadline: 30_000,
      })
      const { requests } = await live.master.force({ builder: 'full', who: 'joe', reason: 'later' }, 'test')
      await open()
      assert.equal((await building).result, 'success')
      assert.equal(await until(worker.exited, { what: 'the worker to exit', deadline: 30_000 }), 0)
      assert.equal((await live.master.query.request(requests[0]!))?.state, 'waiting')
    })
}

interface Run {
  readonly live: Awaited<ReturnType<typeof startLiveMaster>>
  readonly worker: ReturnType<typeof startWorker>
  readonly building: ReturnType<Awaited<ReturnType<typeof startLiveMaster>>['build']>
  open(): Promise<void>
}
