import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { InstanceKey, SlaveConnection } from 'boltbot/plugin-sdk'
import { createMemoryLog, createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { processes } from 'boltbot/plugins/slaves/process'
import { createClock } from '../../../core/clock.ts'
import { runningAgent } from '../../../plugins/slaves/agent-process.ts'

const PASSWORD = 'for this one only'
const key = (epoch: number): InstanceKey => ({ master: 'm', slave: 'fresh', request: 7, epoch })
const spec = { slave: 'fresh', password: PASSWORD, settings: {} }

test('an instance is a process that logs in with its own password, is found, and leaves nothing behind', async () => {
  using folder = makeFolder()
  await using rig = await startEngine(folder.path)
  await rig.engine.submit(spec, key(1))
  const connection = await rig.next()
  assert.equal(connection.slave, 'fresh')
  assert.equal(await rig.engine.find(key(1)), true)
  assert.equal(await rig.engine.find(key(2)), false)
  assert.deepEqual(await rig.engine.list(), [key(1)])
  const [instance] = readdirSync(join(folder.path, 'instances'))
  assert.equal(instance, 'fresh.1')
  const pid = await runningAgent(join(folder.path, 'instances', 'fresh.1'))

  await rig.engine.cancel(key(1))
  await connection.closed
  assert.throws(() => process.kill(pid!, 0), 'the process is gone')
  assert.deepEqual(readdirSync(join(folder.path, 'instances')), [])
  assert.deepEqual(await rig.engine.list(), [])
  assert.equal(await rig.engine.find(key(1)), false)
  assert.match(readFileSync(join(folder.path, 'fresh.log'), 'utf8'), /slave stopped/, 'its last words are kept')
  assert.deepEqual(rig.gone, [], 'it was told to end')
  await rig.engine.cancel(key(1))
})

test('a process that ends by itself is told', async () => {
  using folder = makeFolder()
  await using rig = await startEngine(folder.path)
  await rig.engine.submit(spec, key(1))
  await rig.next()
  process.kill((await runningAgent(join(folder.path, 'instances', 'fresh.1')))!, 'SIGKILL')
  await until(() => rig.gone[0], { what: 'the end to be told' })
  assert.match(rig.gone[0]!, /^fresh 1: it was ended by SIGKILL; see ".*agent\.log"$/)
  await rig.engine.cancel(key(1))
})

test('the next master finds the processes of the one before, and tells when they end', async () => {
  using folder = makeFolder()
  const first = await startEngine(folder.path)
  await first.engine.submit(spec, key(3))
  await first.next()
  await first[Symbol.asyncDispose]()

  await using second = await startEngine(folder.path)
  assert.deepEqual(await second.engine.list(), [key(3)])
  assert.equal(await second.engine.find(key(3)), true)
  await second.next()
  process.kill((await runningAgent(join(folder.path, 'instances', 'fresh.3')))!, 'SIGKILL')
  await until(() => second.gone[0], { what: 'the end to be told' })
  assert.deepEqual(second.gone, ['fresh 3: its process is gone'])
  assert.equal(await second.engine.find(key(3)), false)
  await second.engine.cancel(key(3))
  assert.equal(existsSync(join(folder.path, 'instances', 'fresh.3')), false)
})

async function startEngine(directory: string) {
  const log = createMemoryLog()
  const slaves = { fresh: PASSWORD }
  const host = createTestHost({ log, directory, slaves, override: { clock: createClock(log) } })
  await host.run(processes())
  const [engine] = host.engines
  const gone: string[] = []
  engine!.observe(({ slave, epoch }, reason) => void gone.push(`${slave} ${epoch}: ${reason}`))
  let seen = 0
  return {
    engine: engine!,
    gone,
    next(): Promise<SlaveConnection> {
      const index = seen++
      return until(() => host.attached[index], { what: 'an agent', seen: () => log.text() })
    },
    async [Symbol.asyncDispose]() {
      await host.stop()
    },
  }
}

function makeFolder(): { readonly path: string } & Disposable {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'boltbot-process-')))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}
