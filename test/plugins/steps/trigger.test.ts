import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { builder, buildFactory, defineStep, interpolate, type Step, slave } from 'boltbot/plugin-sdk'
import { nightly, triggerable } from 'boltbot/plugins/schedulers'
import { trigger } from 'boltbot/plugins/steps'
import { commit, each, sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const checkout = defineStep({
  name: 'checkout',
  async run(context) {
    context.setProperty('got_revision', 'abc123')
    context.setProperty('version', 7)
    return { result: 'success' }
  },
})
const packages = triggerable({ name: 'packages', builders: ['deb', 'rpm'] })
const docs = triggerable({ name: 'docs', builders: ['manual'] })

/** `full` is built for each change, on slave `one`; what it triggers on `two`, or on `one` as well. */
const config = (steps: readonly Step[], on: 'one' | 'two' = 'two'): RigOptions => ({
  slaves: ['one', 'two'].map((name) => slave({ name, password: 'x', maxBuilds: name === 'one' ? 1 : 3 })),
  builders: [
    builder({ name: 'full', slaves: ['one'], factory: buildFactory([checkout(), ...steps]) }),
    ...['deb', 'rpm', 'manual'].map((name) =>
      builder({ name, slaves: [on], factory: buildFactory([sh({ command: `make ${name}` })]) }),
    ),
  ],
  schedulers: [
    packages,
    docs,
    each({ builders: ['full'] }),
    nightly({ name: 'night', hour: 3, timeZone: 'UTC', builders: ['deb'] }),
  ],
})
const submit = async (rig: Rig, revision: string) => {
  await rig.master.submitChange(commit(revision), 'test')
  await rig.settle()
}
describe('trigger', () => {
  it('builds elsewhere what this build checked out, and does not wait', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: [packages] })]))
    await rig.slave('one')
    await submit(rig, 'r1')
    assert.equal((await rig.build('full', 0)).result, 'success')
    await rig.slave('two')
    await rig.settle()
    for (const name of ['deb', 'rpm']) {
      const { sourceStamp, blamelist, reason, result } = await rig.build(name, 0)
      assert.deepEqual(
        [sourceStamp.branch, sourceStamp.repository, sourceStamp.revision, sourceStamp.changes],
        ['main', 'repo', 'abc123', [1]],
      )
      assert.deepEqual([blamelist, reason, result], [['jane'], 'triggered by full #0', 'success'])
    }
    assert.match(
      await rig.master.query.logTail({ build: 1, step: 1, log: 'stdio' }),
      /^packages: buildset 2, requests 2, 3\n/,
    )
  })

  it('waits for the ends, and ends with the worst result', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: ['docs', packages], waitForFinish: true })]))
    await rig.slave('one')
    const two = await rig.slave('two', [
      { match: 'make rpm', hang: true },
      { match: 'make manual', result: 0 },
    ])
    await submit(rig, 'r1')
    assert.equal((await rig.build('deb', 0)).result, 'success')
    assert.equal((await rig.build('full', 0)).result, null)
    two.finish('make rpm', 2)
    await rig.settle()
    const parent = await rig.build('full', 0)
    assert.equal(parent.result, 'failure')
    assert.equal(parent.steps[1]?.text, 'trigger docs packages failed')
    assert.match(
      await rig.master.query.logTail({ build: parent.id, step: 1, log: 'stdio' }),
      /docs: success\npackages: failure\n/,
    )
  })

  it('gives properties along: its own, and copies of those of this build that there are', async () => {
    await using rig = await createRig(
      config([
        trigger({
          schedulerNames: [docs],
          copyProperties: ['version', 'nothing'],
          setProperties: { upload: true, title: interpolate`v${'version'}`, branchless: null },
        }),
      ]),
    )
    await rig.slave('one')
    await rig.slave('two')
    await submit(rig, 'r1')
    const { properties } = await rig.build('manual', 0)
    assert.deepEqual(
      ['version', 'upload', 'title', 'branchless', 'nothing'].map((name) => properties[name]?.value),
      [7, true, 'v7', null, undefined],
    )
    assert.equal(properties.version?.source, 'Scheduler docs')
  })

  it('builds the newest, another source, or just what this build was asked for, when told so', async () => {
    const stampWith = async (options: Partial<Parameters<typeof trigger>[0]>) => {
      await using rig = await createRig(config([trigger({ schedulerNames: [docs], ...options })]))
      await rig.slave('one')
      await rig.slave('two')
      await submit(rig, 'r1')
      const { branch, revision, repository, changes } = (await rig.build('manual', 0)).sourceStamp
      return [branch, revision, repository, changes]
    }
    assert.deepEqual(await stampWith({ alwaysUseLatest: true }), ['main', null, 'repo', []])
    assert.deepEqual(await stampWith({ updateSourceStamp: false }), ['main', 'r1', 'repo', [1]])
    assert.deepEqual(await stampWith({ sourceStamp: { branch: interpolate`v${'version'}`, repository: 'other' } }), [
      'v7',
      null,
      'other',
      [],
    ])
  })

  it('never builds two triggers together', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: [docs] })]))
    await rig.slave('one')
    for (const revision of ['r1', 'r2', 'r3']) await submit(rig, revision)
    await rig.slave('two')
    await rig.settle()
    assert.equal((await rig.build('manual', 2)).requests.length, 1)
  })

  it('ends its waiting when the build is stopped; the builds go on', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: [docs], waitForFinish: true })]))
    await rig.slave('one')
    const two = await rig.slave('two', [{ match: 'make manual', hang: true }])
    await submit(rig, 'r1')
    const { id } = await rig.build('full', 0)
    await rig.master.stopBuild({ build: id, who: 'jane', reason: 'enough' }, 'test')
    await rig.settle()
    assert.equal((await rig.build('full', 0)).result, 'cancelled')
    assert.equal((await rig.build('manual', 0)).result, null)
    two.finish()
    await rig.settle()
    assert.equal((await rig.build('manual', 0)).result, 'success')
  })

  it('says why builds wait that want the slave of the build that waits for them', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: [docs], waitForFinish: true })], 'one'))
    await rig.slave('one')
    await submit(rig, 'r1')
    const [waiting] = await rig.master.why()
    assert.equal(waiting?.why?.text, 'slave one busy with full #0, which waits for scheduler "docs"')
    await rig.master.stopBuild({ build: (await rig.build('full', 0)).id, who: 'jane', reason: 'enough' }, 'test')
    await rig.settle()
    assert.equal((await rig.build('manual', 0)).result, 'success')
  })

  it('ends when what it waits for is cancelled', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: [docs], waitForFinish: true })]))
    await rig.slave('one')
    await submit(rig, 'r1')
    const [waiting] = await rig.master.why()
    await rig.master.cancel({ request: waiting!.request.id, who: 'jane', reason: 'no' }, 'test')
    await rig.settle()
    assert.equal((await rig.build('full', 0)).result, 'cancelled')
  })

  it('is an exception when the scheduler is not one for it', async () => {
    await using rig = await createRig(config([trigger({ schedulerNames: ['night'] })]))
    await rig.slave('one')
    await submit(rig, 'r1')
    const parent = await rig.build('full', 0)
    assert.equal(parent.result, 'exception')
    assert.match(parent.steps[1]?.text ?? '', /"night" is not one that steps may trigger/)
    assert.deepEqual((await rig.story('buildsetCreated')).length, 1)
  })

  it('goes on when the master was killed meanwhile: what it had triggered is not triggered again', async () => {
    const rig = await createRig(config([trigger({ schedulerNames: [docs], waitForFinish: true })]))
    await rig.slave('one')
    await submit(rig, 'r1')
    await using next = await rig.restart()
    await next.slave('one')
    await next.slave('two')
    await next.settle()
    const parents = await next.master.query.builds({ builder: 'full' })
    assert.deepEqual(
      parents.map(({ result }) => result),
      ['success'],
    )
    assert.equal((await next.master.query.builds({ builder: 'manual' })).length, 1)
  })
})
