import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { builder, buildFactory, patchBytes, slave } from 'boltbot/plugin-sdk'
import { tryJobdir } from 'boltbot/plugins/schedulers'
import { parseJobFile } from '../../../plugins/schedulers/try/job-file.ts'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const netstring = (text: string | Uint8Array) => {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${bytes.length}:`), bytes, Buffer.from(',')])
}
const job = (...fields: readonly (string | Uint8Array)[]) => Buffer.concat(fields.map(netstring))
const DIFF = '--- a/hello.c\n+++ b/hello.c\n@@ -1 +1 @@\n-hello\n+grüezi\n'
const FULL = {
  jobid: '1',
  branch: 'main',
  baserev: 'abc',
  patch_level: 1,
  patch_body: DIFF,
  repository: 'repo',
  project: 'hello',
  who: 'jane',
  comment: 'does it\nwork?',
  builderNames: ['full'],
  properties: { colour: 'red' },
}
const json = (over: object, version = '5') => job(version, JSON.stringify({ ...FULL, ...over }))

describe('a job file', () => {
  it('is read in all its versions', () => {
    const first = ['id', 'main', 'abc', '1', DIFF] as const
    const patch = { level: 1, subdir: '', body: DIFF }
    const none = { repository: '', project: '', who: null, comment: null, properties: {} }
    const base = { id: 'id', branch: 'main', revision: 'abc', patch, builders: ['full', 'quick'], ...none }
    const names = ['full', 'quick']
    assert.deepEqual(parseJobFile(job('1', ...first, ...names)), base)
    const placed = { ...base, repository: 'repo', project: 'hello' }
    assert.deepEqual(parseJobFile(job('2', ...first, 'repo', 'hello', ...names)), placed)
    assert.deepEqual(parseJobFile(job('3', ...first, 'repo', 'hello', 'jane', ...names)), { ...placed, who: 'jane' })
    const said = { ...placed, who: 'jane', comment: 'hm' }
    assert.deepEqual(parseJobFile(job('4', ...first, 'repo', 'hello', 'jane', 'hm', ...names)), said)
    const five = {
      ...placed,
      id: '1',
      who: 'jane',
      comment: 'does it\nwork?',
      builders: ['full'],
      properties: { colour: 'red' },
    }
    assert.deepEqual(parseJobFile(json({})), five)
    const { patch_body: _, ...rest } = FULL
    const six = job('6', JSON.stringify({ ...rest, patch_body_base64: Buffer.from(DIFF).toString('base64') }))
    assert.deepEqual(parseJobFile(six), five)
  })

  it('keeps the bytes of a patch that is not UTF-8, and takes empty or "None" for nothing', () => {
    const bytes = Buffer.from([0x2d, 0xe4, 0x0a, 0x00])
    const { patch } = parseJobFile(job('1', 'id', '', 'None', '0', bytes))
    assert.equal(patch?.encoding, 'base64')
    assert.deepEqual(Buffer.from(patchBytes(patch!)), bytes)
    const plain = parseJobFile(json({ branch: '', baserev: 'None', patch_body: '', who: null }))
    assert.deepEqual([plain.branch, plain.revision, plain.patch, plain.who], [null, null, null, null])
  })

  for (const [what, bytes, why] of [
    ['nothing', Buffer.alloc(0), /its version is ""/],
    ['a mail', Buffer.from('From: jane'), /at byte 0 there is no length/],
    ['a cut file', json({}).subarray(0, -10), /does not end where its length says/],
    ['a version of tomorrow', job('7', '{}'), /its version is "7"/],
    ['too few fields', job('3', 'id', 'main'), /it has 2 of 8 fields/],
    ['no JSON', job('5', '{'), /not JSON/],
    ['a list', job('5', '[]'), /no object/],
    ['a branch of a wrong type', json({ branch: 7 }), /"branch" is not text/],
    ['builders of a wrong type', json({ builderNames: 'full' }), /"builderNames" is not a list/],
    ['properties of a wrong type', json({ properties: [] }), /"properties" is not an object/],
    ['a level that is none', json({ patch_level: '-1' }), /the level of the patch is "-1"/],
    ['a huge length', Buffer.from('99999999999:x,'), /there is no length/],
  ] as const)
    it(`is refused when it is ${what}`, () => {
      assert.throws(() => parseJobFile(bytes), { code: 'BOLT_TRY_JOB', message: why })
    })
})

describe('tryJobdir', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'boltbot-jobdir-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const drop = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, 'tmp', name), bytes)
    await rename(join(folder, 'tmp', name), join(folder, 'new', name))
  }
  const config = (over: object = {}): RigOptions => ({
    slaves: [slave({ name: 'bot', password: 'x' })],
    builders: ['full', 'quick'].map((name) =>
      builder({ name, slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) }),
    ),
    schedulers: [
      tryJobdir({ name: 'try', jobdir: folder, builders: ['full', 'quick'], properties: { size: 1 }, ...over }),
    ],
  })
  const taken = async (rig: Rig) => {
    // The disk answers in its own time: the poll is over when the file has moved.
    await rig.clock.advance(12_000)
    for (let i = 0; i < 200 && (await readdir(join(folder, 'new'))).length > 0; i++) await rig.settle()
    await rig.settle()
  }

  it('builds the patch on the builders the job names, alone, and for the person', async () => {
    await using rig = await createRig(config())
    await drop('1-a', json({}))
    await drop('2-b', json({ builderNames: [], properties: {}, who: '', comment: '' }))
    await taken(rig)
    const [one, two] = [await rig.master.query.buildset(1), await rig.master.query.buildset(2)]
    assert.deepEqual(one?.sourceStamp.patch, { level: 1, subdir: '', body: DIFF })
    assert.deepEqual([one?.sourceStamp.branch, one?.sourceStamp.revision], ['main', 'abc'])
    assert.equal(one?.externalId, FULL.jobid)
    assert.deepEqual([one?.owner, one?.scheduler, one?.reason], ['jane', 'try', 'try by jane: does it work?'])
    assert.deepEqual([one?.requests.length, two?.requests.length, two?.reason, two?.owner], [1, 2, 'try', null])
    await rig.slave('bot')
    await rig.settle()
    assert.deepEqual((await rig.build('full', 0)).requests, [1])
    const { properties } = await rig.build('full', 0)
    assert.deepEqual([properties.colour?.value, properties.size?.value], ['red', 1])
    assert.deepEqual((await readdir(join(folder, 'cur'))).sort(), ['1-a', '2-b'])
  })

  it('puts aside what cannot be built, with the reason, and takes the others', async () => {
    await using rig = await createRig(config({ maxSize: 2000 }))
    await drop('1-garbage', Buffer.from('hello'))
    await drop('2-other-builder', json({ builderNames: ['secret'] }))
    await drop('3-huge', json({ patch_body: 'x'.repeat(3000) }))
    await writeFile(join(folder, 'elsewhere'), json({}))
    await symlink(join(folder, 'elsewhere'), join(folder, 'new', '4-link'))
    await mkdir(join(folder, 'new', '5-folder'))
    await drop('6-good', json({}))
    await taken(rig)
    const failed = (await readdir(join(folder, 'failed'))).filter((name) => name.endsWith('.reason')).sort()
    const reasons = await Promise.all(failed.map((name) => readFile(join(folder, 'failed', name), 'utf8')))
    assert.match(reasons[0]!, /^BOLT_TRY_JOB: /)
    assert.match(reasons[1]!, /^BOLT_TRY_BUILDER: .*does not offer the builder "secret"/)
    assert.match(reasons[2]!, /^BOLT_TRY_TOO_LARGE: /)
    assert.match(reasons[3]!, /^BOLT_TRY_NOT_A_FILE: /)
    assert.match(reasons[4]!, /^BOLT_TRY_(JOB|NOT_A_FILE): /)
    assert.deepEqual(await readdir(join(folder, 'cur')), ['6-good'])
    assert.equal((await rig.story('buildsetCreated')).length, 1)
  })

  it('builds a job once, though the master died before it moved the file', async () => {
    const first = await createRig(config())
    await drop('1-a', json({}))
    await taken(first)
    await rename(join(folder, 'cur', '1-a'), join(folder, 'new', '1-a'))
    const rig = await first.restart()
    await using _ = rig
    await taken(rig)
    assert.deepEqual(await readdir(join(folder, 'new')), [])
    assert.deepEqual(await rig.story('buildsetCreated'), [])
  })
})
