import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ChangeInput, secret } from 'boltbot/plugin-sdk'
import { createTestHost, type TestHost } from 'boltbot/plugin-sdk/testing'
import { pbChangeSource } from 'boltbot/plugins/changes/pb'
import { createClock } from '../../core/clock.ts'
import { reservePort } from '../e2e/rig/ports.ts'
import { type BuildbotMaster, startBuildbotMaster } from './rig/buildbot-master.ts'
import { boltbot, type Ran, run } from './rig/run-program.ts'
import { absent } from './rig/worker.ts'

const skip = absent('buildbot')

async function listen(options: { readonly prefix?: string } = {}): Promise<TestHost & { readonly port: number }> {
  const port = await reservePort()
  const host = createTestHost({ secrets: { change: 'open sesame' } })
  const live = createTestHost({
    override: { clock: createClock(host.log) },
    log: host.log,
    secrets: { change: 'open sesame' },
  })
  await live.run(pbChangeSource({ user: 'change', password: secret('change'), port, ...options }))
  return Object.assign(live, { port })
}

const senders: readonly (readonly [
  name: string,
  (args: readonly string[], input?: string) => Promise<Ran>,
  string | false,
])[] = [
  ['buildbot', (args, input = '') => run('buildbot', ['sendchange', ...args], { input }), skip],
  ['boltbot', (args, input = '') => boltbot(['sendchange', ...args], { input }), false],
]

for (const [name, send, skipped] of senders) {
  test(`${name} sendchange gives all it was told`, { skip: skipped }, async () => {
    await using host = await listen({ prefix: 'trunk/' })
    const options = [
      '-W',
      'Zoë <zoe@example.org>',
      '-R',
      'https://git.example.org/r',
      '-P',
      'hello',
      '-b',
      'main',
      '-r',
      'abc',
    ]
    const more = [
      '-C',
      'active',
      '--codebase',
      'lib',
      '-p',
      'colour:red',
      '-p',
      'path:a:b',
      '-w',
      '1700000000',
      '-l',
      'https://x/abc',
    ]
    const words = [...options, ...more, '-c', 'Mënd it\nwell', '-s', 'git', 'trunk/src/bé.c', 'trunk/a b', 'other/c']
    const sent = await send(['-m', `127.0.0.1:${host.port}`, '-a', 'change:open sesame', ...words])
    assert.deepEqual([sent.code, sent.stdout.trim()], [0, 'change sent successfully'], sent.stderr)
    const expected: ChangeInput = {
      who: 'Zoë <zoe@example.org>',
      files: ['src/bé.c', 'a b'],
      comments: 'Mënd it\nwell',
      branch: 'main',
      revision: 'abc',
      repository: 'https://git.example.org/r',
      project: 'hello',
      codebase: 'lib',
      category: 'active',
      revlink: 'https://x/abc',
      properties: { colour: 'red', path: 'a:b' },
      when: 1_700_000_000_000,
    }
    assert.deepEqual(host.records.changes, [expected])
  })

  test(`${name} sendchange may leave all out but who, and has long messages from a file or its input`, {
    skip: skipped,
  }, async () => {
    await using host = await listen()
    const folder = mkdtempSync(join(tmpdir(), 'boltbot-send-'))
    const comments = `${'a long line of a message\n'.repeat(20_000)}`
    writeFileSync(join(folder, 'log'), comments)
    writeFileSync(join(folder, 'rev'), 'r77\n')
    const common = ['-m', `127.0.0.1:${host.port}`, '-a', 'change:open sesame', '-W', 'jane']
    const bare = await send(common)
    const long = await send([...common, '-F', join(folder, 'log'), '--revision_file', join(folder, 'rev')])
    const typed = await send([...common, '-F', '-', 'a.c'], 'typed in\n')
    rmSync(folder, { recursive: true })
    assert.deepEqual([bare.code, long.code, typed.code], [0, 0, 0], bare.stderr + long.stderr + typed.stderr)
    const [first, second, third] = host.records.changes
    assert.deepEqual([first!.who, first!.files, first!.branch, first!.comments], ['jane', [], null, ''])
    assert.equal(second!.comments, comments)
    assert.equal(second!.revision?.trim(), 'r77')
    assert.deepEqual([third!.comments, third!.files], ['typed in\n', ['a.c']])
  })

  test(`${name} sendchange fails for a wrong password, and where nobody listens`, { skip: skipped }, async () => {
    await using host = await listen()
    const wrong = await send(['-m', `127.0.0.1:${host.port}`, '-a', 'change:wrong', '-W', 'jane', 'a.c'])
    assert.equal(wrong.code, 1)
    const nobody = await send(['-m', `127.0.0.1:${await reservePort()}`, '-W', 'jane', 'a.c'])
    assert.equal(nobody.code, 1)
    assert.deepEqual(host.records.changes, [])
    assert.equal(host.log.find('warn', 'login refused').length, 1)
  })

  test(`${name} sendchange takes --encoding`, { skip: skipped }, async () => {
    await using host = await listen()
    const sent = await send([
      '-m',
      `127.0.0.1:${host.port}`,
      '-a',
      'change:open sesame',
      '-e',
      'latin1',
      '-W',
      'jane',
      'a.c',
    ])
    assert.equal(sent.code, 0, sent.stderr)
    assert.deepEqual(host.records.changes[0]!.files, ['a.c'])
  })
}

test('words in another encoding than UTF-8 are read as told', async () => {
  await using host = await listen()
  const words = `sendchange -m 127.0.0.1:${host.port} -a 'change:open sesame' -e latin1 -W "$(printf 'Zo\\353')" a.c`
  const sent = await run('sh', ['-c', `'${process.execPath}' core/cli/boltbot.js ${words}`])
  assert.equal(sent.code, 0, sent.stderr)
  assert.equal(host.records.changes[0]!.who, 'Zoë')
})

test('a change that is refused is told to the sender', { skip }, async () => {
  const port = await reservePort()
  await using host = createTestHost({
    override: {
      submitChange: () => Promise.reject(new Error('Not on a Friday.')),
      clock: createClock({ error: () => {} } as never),
    },
  })
  await host.run(pbChangeSource({ user: 'change', password: 'changepw', port }))
  const theirs = await run('buildbot', ['sendchange', '-m', `127.0.0.1:${port}`, '-W', 'jane', 'a.c'])
  assert.equal(theirs.code, 1)
  assert.match(theirs.stdout + theirs.stderr, /Not on a Friday/)
  const ours = await boltbot(['sendchange', '-m', `127.0.0.1:${port}`, '-W', 'jane', 'a.c'])
  assert.deepEqual([ours.code, ours.stderr], [1, `boltbot: The master "127.0.0.1:${port}" refuses: Not on a Friday.\n`])
})

test('a real Buildbot takes what ours sends', { skip, timeout: 120_000 }, async (context) => {
  const master: BuildbotMaster = await startBuildbotMaster()
  context.after(() => master[Symbol.asyncDispose]())
  const home = mkdtempSync(join(tmpdir(), 'boltbot-home-'))
  context.after(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, '.buildbot'))
  writeFileSync(
    join(home, '.buildbot/options'),
    `# of jane\nmaster = '127.0.0.1:${master.port}'\nwho = "Zoë <zoe@example.org>"\n`,
  )
  const words = [
    '-b',
    'main',
    '-r',
    'abc',
    '-R',
    'repo',
    '-P',
    'hello',
    '-C',
    'active',
    '-p',
    'p1:v1',
    '-w',
    '1700000000.5',
  ]
  const sent = await boltbot(['sendchange', ...words, '-c', 'Mënd it', 'src/a.c', 'b c'], {
    cwd: home,
    env: { HOME: home },
  })
  assert.deepEqual([sent.code, sent.stderr], [0, ''])
  assert.deepEqual(master.changes(), [
    {
      who: 'Zoë <zoe@example.org>',
      files: ['b c', 'src/a.c'],
      comments: 'Mënd it',
      branch: 'main',
      revision: 'abc',
      repository: 'repo',
      project: 'hello',
      codebase: '',
      category: 'active',
      revlink: '',
      when: 1_700_000_000,
      properties: { p1: 'v1' },
    },
  ])
  const refused = await boltbot(['sendchange', '-a', 'change:wrong', 'a.c'], { cwd: home, env: { HOME: home } })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /does not let "change" in/)
})
