import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot/plugin-sdk'
import { createScriptedSlave, createSeededRandom, type ScriptedSlave } from 'boltbot/plugin-sdk/testing'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'
import { createScriptedEngine } from '../../rig/scripted-engine.ts'

const make = (name: string) =>
  builder({ name, slaves: ['cloud'], factory: buildFactory([sh({ command: name })]), mergeRequests: false })

/** One life of a latent slave: whatever happens in whatever order, in the end all is built and nothing is left. */
async function live(seed: number): Promise<void> {
  const random = createSeededRandom(seed)
  const chance = (n: number) => Math.floor(random.next() * n)
  const engine = createScriptedEngine()
  const cloud = slave({ name: 'cloud', latent: { engine: 'rig/engine', maxLifetime: '3h' } })
  const config: RigOptions = {
    slaves: [cloud],
    builders: [make('a'), make('b')],
    transports: [engine.plugin()],
    maxTries: 1000,
  }
  let rig: Rig = await createRig(config, seed)
  const trace: string[] = []
  const agents = new Map<string, ScriptedSlave>()

  /** The agents of all instances try to log in, each with its own password. */
  async function arrive(): Promise<void> {
    for (const [id, { spec }] of [...engine.instances]) {
      if (rig.door.password('cloud') !== spec.password) continue
      const agent = agents.getOrInsertComputed(id, () =>
        createScriptedSlave({ name: 'cloud', clock: rig.clock, answers: [{ match: 'a', hang: true }] }),
      )
      await agent.attach(rig.door).catch(() => {}) // it is here already
    }
  }

  const acts: Readonly<Record<string, () => unknown>> = {
    force: () => rig.master.force({ builder: 'ab'[chance(2)]!, who: 'jane', reason: 'try it' }, 'test'),
    arrive,
    finish: () => agents.forEach((agent) => void agent.finish()),
    drop: () => agents.forEach((agent) => void agent.drop()),
    crash: () => agents.forEach((agent) => void agent.crash()),
    die: () => engine.die('cloud', 'chance'),
    answer: () => {
      engine.answer = (['taken', 'refused', 'lost', 'never', 'late'] as const)[chance(5)]!
    },
    deliver: () => engine.deliver(),
    stick: () => {
      engine.sticky = !engine.sticky
    },
    seconds: () => rig.clock.advance(1000 * (1 + chance(60))),
    minutes: () => rig.clock.advance(60_000 * (1 + chance(30))),
    pause: () => rig.master.pauseSlave({ slave: 'cloud', who: 'ann', reason: 'chance' }, 'test'),
    resume: () => rig.master.resumeSlave({ slave: 'cloud', who: 'ann', reason: 'chance' }, 'test'),
    kill: async () => {
      rig = await rig.restart()
    },
    engines: () => rig.reconfigure({ ...config, properties: { x: chance(100) } }),
  }
  const names = Object.keys(acts)
  try {
    for (let i = 0; i < 60; i++) {
      const name = names[chance(names.length)]!
      trace.push(name)
      await acts[name]!()
      if (chance(3) > 0) await rig.settle()
    }
    trace.push('- end')
    engine.answer = 'taken'
    engine.sticky = false
    engine.deliver()
    await rig.master.resumeSlave({ slave: 'cloud', who: 'ann', reason: 'the end' }, 'test')
    for (let i = 0; i < 400 && (await rig.master.query.requests({ limit: 1000 })).length > 0; i++) {
      await rig.settle()
      await arrive()
      await rig.settle()
      for (const agent of agents.values()) agent.finish()
      await rig.settle()
      await rig.clock.advance('1m')
    }
    const left = await rig.master.query.requests({ limit: 1000 })
    const why = left[0] && (await rig.master.query.why(left[0].id))?.text
    assert.deepEqual(
      left,
      [],
      `all is built in the end; ${why}; ${JSON.stringify((await rig.master.query.slaves())[0])}`,
    )
    for (let i = 0; i < 30; i++) {
      await rig.clock.advance('3m')
      await rig.settle()
    }
    assert.equal((await rig.master.query.slaves())[0]!.state, 'latent')
    assert.deepEqual([...engine.instances.keys()], [], 'no instance is left')
    const submits = engine.asked.filter((what) => what.startsWith('submit'))
    assert.equal(new Set(submits).size, submits.length, 'no order is given twice')
  } catch (error) {
    throw new Error(`seed ${seed}: ${trace.join(' ')}\n${engine.asked.join('\n')}`, { cause: error })
  } finally {
    await rig[Symbol.asyncDispose]()
  }
}

test('whatever happens to instances, all is built in the end, no order is given twice, and none is left', async () => {
  const first = Number(process.env.SEED ?? 1)
  const count = Number(process.env.SEEDS ?? 15)
  for (let seed = first; seed < first + count; seed++) await live(seed)
})
