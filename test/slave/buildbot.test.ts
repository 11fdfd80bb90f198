import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandOf } from '../../slave/buildbot/command-of.ts'
import { createLineOutput } from '../../slave/buildbot/output.ts'

test('lines go out whole, with places counted in characters of Python', () => {
  let now = 1
  const lines = createLineOutput(() => now)
  const bytes = Buffer.from('a\u{1f600}b\nsecond\npart')
  assert.equal(lines.add('stdout', bytes.subarray(0, 3)), undefined, 'in the middle of a character')
  now = 2
  assert.deepEqual(lines.add('stdout', bytes.subarray(3)), ['stdout', ['a\u{1f600}b\nsecond\n', [3, 10], [2, 2]]])
  assert.deepEqual(lines.add('stderr', Buffer.from('oops\n')), ['stderr', ['oops\n', [4], [2]]])
  assert.deepEqual(lines.rest(), [['stdout', ['part\n', [4], [2]]]])
})

test('arguments of a Buildbot master become our commands', () => {
  const own = { HOME: '/home/bot', PYTHONPATH: '/usr/lib/py' }
  const env = { A: '$'.concat('{HOME}/x'), GONE: null, LIST: ['/a', '/b'], PYTHONPATH: '/mine' }
  const args = {
    command: ['make', 'all'],
    workdir: '/srv/bot/full/build',
    env,
    timeout: 1200,
    maxTime: null,
    want_stderr: 0,
  }
  assert.deepEqual(commandOf('shell', args, '/srv/bot', own), {
    kind: 'shell',
    command: ['make', 'all'],
    workdir: 'full/build',
    env: { A: '/home/bot/x', GONE: null, LIST: '/a:/b', PYTHONPATH: '/mine:/usr/lib/py' },
    timeout: 1_200_000,
    maxTime: null,
    wantStdout: true,
    wantStderr: false,
  })
  assert.deepEqual(commandOf('mkdir', { paths: ['/srv/bot/full', '/srv/bot/info'] }, '/srv/bot', {}), {
    kind: 'mkdir',
    paths: ['full', 'info'],
  })
  assert.throws(() => commandOf('shell', { workdir: '/srv/bot' }, '/srv/bot', {}), /needs a command/)
  assert.equal(commandOf('upload_directory', {}, '/srv/bot', {}), undefined)
})
