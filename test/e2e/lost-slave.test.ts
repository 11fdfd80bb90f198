import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { describe } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { createTcpProxy } from './rig/tcp-proxy.ts'
import { story } from './rig.ts'

describe('lost slaves', { concurrency: true }, () => {
  story('a build whose slave is killed goes back to the front of the queue and is built on another', async (world) => {
    const port = await reservePort()
    // It says that it began, then waits for a sign.
    const command = ['node', '-e', WAIT_FOR_GO, world.file('began'), world.file('go')]
    const master = await world.master(
      configText({
        slavePort: port,
        slaves: ['bot-1', 'bot-2'],
        steps: `shellCommand({ name: 'wait', command: ${JSON.stringify(command)} })`,
        builderOptions: 'mergeRequests: false,',
        masterOptions: `buildLease: '1s',`,
      }),
    )
    const first = await world.slave('bot-1', port)
    await master.event('slaveConnected', ({ slave }) => slave === 'bot-1')
    const order = (reason: string) =>
      master.call<{ requests: number[] }>('force', { builder: 'full', who: 'joe', reason })
    const { requests } = await order('the first')
    await until(() => existsSync(world.file('began')), { what: 'the command to begin', deadline: 20_000 })
    const later = await order('the second')

    await first.kill('SIGKILL')
    await master.event('slaveLost')
    const lost = await master.finished(0)
    assert.deepEqual([lost.result, lost.slave, lost.requests], ['retry', 'bot-1', requests])
    const again = await master.event('requestQueued', ({ cause }) => cause === 'retry')
    assert.equal(again.request, requests[0])
    const queue = await master.call<readonly { request: { id: number } }[]>('why')
    assert.deepEqual(
      queue.map(({ request }) => request.id),
      [...requests, ...later.requests],
    )

    await writeFile(world.file('go'), '')
    await world.slave('bot-2', port)
    const done = await master.finished(1)
    assert.deepEqual([done.result, done.slave, done.requests], ['success', 'bot-2', requests])
    assert.deepEqual((await master.finished(2)).requests, later.requests)
  })

  story(
    'a build goes on when the link is cut under a command, and its log is what the command wrote',
    async (world) => {
      const port = await reservePort()
      const network = world.use(await createTcpProxy(port))
      const command = ['node', '-e', TALK, world.file('go')]
      const master = await world.master(
        configText({
          slavePort: port,
          steps: `shellCommand({ name: 'talk', command: ${JSON.stringify(command)} })`,
        }),
      )
      await world.slave('bot-1', network.port)
      await master.event('slaveConnected')
      await master.call('force', { builder: 'full', who: 'joe', reason: 'to see' })
      const has = async (text: string) => (await master.log(0, 'talk')).includes(text)
      await until(() => has('line 20 '), { what: 'the first output', deadline: 20_000 })

      // Twice: once for a moment, once for longer, while the command goes on to write and even ends.
      network.cut()
      await master.event('slaveLost')
      network.mend()
      await until(() => network.carried() >= 2, { what: 'the slave to come back', deadline: 20_000 })
      const before = (await master.log(0, 'talk')).length
      await until(async () => (await master.log(0, 'talk')).length > before, { what: 'more output', deadline: 20_000 })
      network.cut()
      await until(() => master.events('slaveLost').length === 2, { what: 'the second loss', deadline: 20_000 })
      await writeFile(world.file('go'), '')
      await until(() => existsSync(`${world.file('go')}.ended`), { what: 'the command to end', deadline: 20_000 })
      network.mend()

      const { result, slave } = await master.finished(0)
      assert.deepEqual([result, slave], ['success', 'bot-1'])
      assert.equal(master.events('buildStarted').length, 1)
      const told = await readFile(`${world.file('go')}.ended`, 'utf8')
      const { expected, bytes } = JSON.parse(told) as { expected: string; bytes: number } // as the command wrote it
      const log = await master.log(0, 'talk')
      assert.equal(log.length, bytes)
      assert.equal(createHash('sha256').update(log).digest('hex'), expected)
    },
  )
})

const WAIT_FOR_GO = `
const { existsSync, writeFileSync } = require('node:fs')
const [began, go] = process.argv.slice(1)
writeFileSync(began, String(process.pid))
const timer = setInterval(() => { if (existsSync(go)) clearInterval(timer) }, 20)
setTimeout(() => process.exit(3), 60_000).unref()
`

/** Writes numbered lines until told to end, then leaves the digest of all it wrote beside the sign. */
const TALK = `
const { createHash } = require('node:crypto')
const { existsSync, renameSync, writeFileSync } = require('node:fs')
const go = process.argv[1]
const hash = createHash('sha256')
let n = 0, bytes = 0
const timer = setInterval(() => {
  for (let i = 0; i < 10; i++) {
    const line = 'line ' + n++ + ' ' + 'äx'.repeat(n % 200) + '\\n'
    hash.update(line)
    bytes += Buffer.byteLength(line)
    process.stdout.write(line)
  }
  if (n < 20_000 && !existsSync(go)) return
  clearInterval(timer)
  writeFileSync(go + '.part', JSON.stringify({ expected: hash.digest('hex'), bytes }))
  renameSync(go + '.part', go + '.ended')
}, 20)
`
