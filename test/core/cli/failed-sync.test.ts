import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { until } from 'boltbot/plugin-sdk/testing'
import { createCliRig, LONELY } from '../../rig/cli.ts'

/** A disk that fails as soon as there is a file that says so. */
const FAILING_DISK = (sign: string) => `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const { fdatasync } = fs
fs.fdatasync = (fd, done) =>
  fs.existsSync(${JSON.stringify(sign)}) ? done(new Error('EIO: i/o error, fdatasync')) : fdatasync(fd, done)
syncBuiltinESMExports()
`

test('a master whose store cannot be synced says so once and ends; started again it has what was stored', async () => {
  await using rig = await createCliRig(['ci'])
  await rig.write('own.ts', LONELY)
  await rig.run('master', 'ci', '--config', 'own.ts')
  const sign = join(rig.path, 'the disk fails')
  const disk = await rig.write('disk.mjs', FAILING_DISK(sign))
  const on = ['--basedir', 'ci']

  const ended = rig.runWith({ NODE_OPTIONS: `--import=${pathToFileURL(disk)}` }, 'start', 'ci', '--nodaemon')
  await until(() => existsSync(join(rig.path, 'ci', 'control.sock')), { what: 'the control socket' })
  const kept = await rig.ask('force', 'full', '--reason', 'before', ...on)
  assert.equal(kept.code, 0, kept.err)
  await rig.write('the disk fails', '')
  const lost = await rig.ask('force', 'full', '--reason', 'after', ...on)
  assert.deepEqual([lost.code, lost.err], [1, 'boltbot: The master ended before it answered. Its log says why.\n'])

  const { code, err } = await ended
  assert.equal(code, 74)
  const errors = err.split('\n').filter((line) => line.includes('"level":"error"'))
  assert.equal(errors.length, 1, err)
  assert.match(errors[0]!, /"the master ends, and takes up its builds when it is started again"/)
  assert.match(
    errors[0]!,
    /could not be synced to disk \(EIO: i\/o error, fdatasync\): check the disk and start the master/,
  )

  const again = await rig.run('start', 'ci')
  assert.equal(again.code, 0, again.err)
  assert.match((await rig.ask('why', ...on)).out, /^request 1 {2}full /)
})

test('a start on a disk that fails says why, and leaves nothing running', async () => {
  await using rig = await createCliRig(['ci'])
  await rig.write('own.ts', LONELY)
  await rig.run('master', 'ci', '--config', 'own.ts')
  const disk = await rig.write('disk.mjs', FAILING_DISK(rig.path))
  const failed = await rig.runWith({ NODE_OPTIONS: `--import=${pathToFileURL(disk)}` }, 'start', 'ci')
  assert.equal(failed.code, 1)
  assert.match(failed.err, /could not be synced to disk \(EIO: i\/o error, fdatasync\): check the disk/)
  assert.equal((await rig.run('status', 'ci')).out, `The master in "${join(rig.path, 'ci')}" does not run.\n`)
})
