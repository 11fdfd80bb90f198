import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, definePlugin, defineStep, slave } from 'boltbot/plugin-sdk'
import {
  createRig,
  type RunTest,
  schedulerSuite,
  statusSuite,
  stepSuite,
  transportSuite,
  withoutLeaks,
} from 'boltbot/plugin-sdk/testing'
import { openConnection } from '../../plugin-sdk/templates/slave/connection.ts'

/** Runs a suite and gives the names of what failed, without the name of the kind. */
async function failuresOf(suite: (test: RunTest) => void): Promise<readonly string[]> {
  const tests: (readonly [name: string, run: () => Promise<void>])[] = []
  suite((name, run) => tests.push([name, run]))
  assert.ok(tests.length > 3)
  const failed: string[] = []
  for (const [name, run] of tests)
    await run().catch(() => failed.push(name.replace(/^the [a-z ]+? (bad|bad one) /, '')))
  return failed
}

test('a scheduler that keeps something outside its state is caught', async () => {
  let count = 0
  const bad = definePlugin({
    name: 'bad',
    kind: 'scheduler',
    needs: ['schedulers'],
    apply(host) {
      host.registerScheduler({
        name: 'bad',
        builders: ['full'],
        initial: 0,
        decide: (input) =>
          input.kind === 'change' && ++count % 3 === 0
            ? { state: 0, buildsets: [{ reason: 'the third', changes: [input.change.id] }] }
            : { state: 0 },
      })
    },
  })
  const failed = await failuresOf((run) => schedulerSuite(run, { name: 'bad', plugin: () => bad() }))
  assert.ok(failed.includes('decides the same for the same input, state and time, and changes neither'), failed.join())
})

test('a scheduler that forgets at a start is caught', async () => {
  const bad = definePlugin({
    name: 'bad',
    kind: 'scheduler',
    needs: ['schedulers'],
    apply(host) {
      host.registerScheduler({
        name: 'bad',
        builders: ['full'],
        initial: [] as readonly number[],
        decide(input, state) {
          if (input.kind === 'start') return { state: [] }
          const changes = input.kind === 'change' ? [...state, input.change.id] : state
          return changes.length === 3 ? { state: [], buildsets: [{ reason: 'three', changes }] } : { state: changes }
        },
      })
    },
  })
  assert.deepEqual(await failuresOf((run) => schedulerSuite(run, { name: 'bad', plugin: () => bad() })), [
    'decides the same when the master is started anew at any point',
    'builds the same in a master that is killed behind each change',
  ])
})

test('a step that falls over failing commands, and one that hides a lost slave, is caught', async () => {
  const bad = defineStep({
    name: 'bad',
    async run(context) {
      const { exitCode, data } = await context.run({ kind: 'glob', pattern: '*' })
      if (exitCode !== 0 || !Array.isArray(data)) throw new Error('no files')
      await context.run({ kind: 'shell', command: `make ${Math.random()}` })
      return { result: 'success' }
    },
  })
  const answers = [{ match: 'glob', result: { data: ['a'] } }]
  const failed = await failuresOf((run) => stepSuite(run, { name: 'bad', step: () => bad(), answers }))
  assert.ok(failed.some((name) => /not as an exception, when its commands fail$/.test(name)))
  assert.ok(failed.includes('comes to the same end over a kill of the master, and runs no command twice'))
})

test('a status target that throws, and one that is not durable but says so, is caught', async () => {
  const told: string[] = []
  const bad = definePlugin({
    name: 'bad',
    kind: 'status',
    apply(host) {
      host.tap('buildFinished', ({ builder, result }) => {
        if (result === 'exception') throw new Error('what is that?')
        told.push(`${builder} ${result}`)
      })
    },
  })
  const make = async () => ({ plugin: () => bad(), told: () => told, async [Symbol.asyncDispose]() {} })
  assert.deepEqual(await failuresOf((run) => statusSuite(run, { name: 'bad', make })), [
    'takes all that happens without an error',
  ])
})

test('a transport that gives the result before the output is stored is caught', async () => {
  const bad = definePlugin({
    name: 'bad',
    kind: 'slave',
    needs: ['slaves', 'directory'],
    startsSlaves: true,
    apply() {},
    async start(host) {
      const real = openConnection({ slave: 'bot', folder: await host.directory(), clock: host.clock })
      await host.slaves.attach({
        ...real,
        run: (id, name, command, io) =>
          real.run(id, name, command, {
            async output(...output) {
              setImmediate(() => setImmediate(() => io.output(...output)))
            },
          }),
      })
      return { [Symbol.dispose]: () => real.close('over') }
    },
  })
  const make = async () => ({ plugin: () => bad(), async [Symbol.asyncDispose]() {} })
  const failed = await failuresOf((run) => transportSuite(run, { name: 'bad', make }))
  assert.ok(failed.includes('waits until output is stored before it gives the result'), failed.join())
})

test('a server that stays open is a leak', async () => {
  const server = createServer()
  const leaking = withoutLeaks(
    async () => {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    },
    { deadline: 100 },
  )
  await assert.rejects(leaking, { code: 'BOLT_TESTING_WAITED', message: /TCPServerWrap/ })
  server.close()
})

test('a kill in a rig takes the ports of plugins with it', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  const listener = definePlugin({
    name: 'listener',
    kind: 'service',
    apply() {},
    async start() {
      const server = createServer().listen(port, '127.0.0.1')
      await once(server, 'listening') // rejects when the port is taken
      return { [Symbol.dispose]: () => server.close() }
    },
  })
  const bot = slave({ name: 'bot' })
  const make = defineStep({ name: 'make', run: async () => ({ result: 'success' }) })
  const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([make()]) })
  const plugins = [listener()]
  const config = defineMaster({ projectName: 'Ports', transports: [], slaves: [bot], builders: [full], plugins })
  await using rig = await createRig({ config })
  await rig.restart()
  await rig.force('full')
  await rig.until.build('full', 'success')
})
