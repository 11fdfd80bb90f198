import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builder, buildFactory, secret, slave } from 'boltbot'
import { CiError } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { webhook } from 'boltbot/plugins/changes/webhook'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { shellCommand } from 'boltbot/plugins/steps'
import { createChangeListener, PASSWORD } from '../peers/rig/change-listener.ts'
import { createHookedRepository } from '../peers/rig/hooked-repository.ts'
import { startLiveMaster } from '../peers/rig/live-master.ts'
import { boltbot, type Ran } from '../peers/rig/run-program.ts'
import { reservePort } from './rig/ports.ts'

const NONE = '0'.repeat(40)

async function world(context: TestContext, options: readonly string[] = []) {
  const master = await createChangeListener()
  const repository = await createHookedRepository('git', ['--pb', master.address, '--passwd', PASSWORD, ...options])
  context.after(async () => {
    await master[Symbol.asyncDispose]()
    await repository[Symbol.asyncDispose]()
  })
  const git = async (...args: readonly string[]) => {
    const child = spawn('git', args, {
      cwd: join(repository.folder, 'work'),
      env: { ...process.env, HOME: repository.folder, ...JANE },
    })
    const out: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => out.push(data))
    const [code] = await once(child, 'close')
    const said = Buffer.concat(out).toString()
    assert.equal(code, 0, `git ${args.join(' ')}: ${said}`)
    return said.trim()
  }
  const hook = (input: string, ...args: readonly string[]): Promise<Ran> =>
    boltbot(['hook', 'git', ...args], { cwd: repository.path, input, env: { HOME: repository.folder } })
  return { master, repository, git, hook }
}

const JANE = {
  GIT_AUTHOR_NAME: 'Jane',
  GIT_AUTHOR_EMAIL: 'jane@example.org',
  GIT_COMMITTER_NAME: 'Jane',
  GIT_COMMITTER_EMAIL: 'jane@example.org',
}

test('a push of many refs tells of each branch what is new there', { timeout: 120_000 }, async (context) => {
  const { master, git, repository } = await world(context, ['--tags', 'v*'])
  let seen = 0
  const told = () => {
    const fresh = master.changes.slice(seen).map(({ branch, comments }) => `${branch}: ${comments}`)
    seen = master.changes.length
    return fresh
  }
  await git('checkout', '-q', '-b', 'feature')
  for (const name of ['f1', 'f2']) await git('commit', '-q', '--allow-empty', '-m', name)
  await git('checkout', '-q', '-b', 'grün', 'main')
  await git('commit', '-q', '--allow-empty', '-m', 'g1')
  await git('tag', '-a', '-m', 'tagged', 'v1')
  await git('tag', 'other')
  await git('push', '-q', 'origin', 'feature', 'grün', 'main', 'v1', 'other')
  await until(() => master.changes.length === 4, { what: '4 changes', seen: () => repository.log() })
  assert.deepEqual(told().sort(), ['feature: f1', 'feature: f2', 'grün: g1', 'refs/tags/v1: g1'])

  await git('checkout', '-q', 'main')
  await git('merge', '-q', '--no-ff', '-m', 'merge', 'feature')
  await git('branch', 'same')
  await git('push', '-q', 'origin', 'main', 'same')
  assert.deepEqual(told(), ['main: f1', 'main: f2', 'main: merge', 'same: merge'])

  await git('checkout', '-q', 'feature')
  await git('commit', '-q', '--amend', '--allow-empty', '-m', 'f2 anew')
  await git('push', '-q', '--force', 'origin', 'feature')
  assert.deepEqual(told(), ['feature: f2 anew'])
  await git('push', '-q', '--force', 'origin', 'feature~1:refs/heads/feature', ':grün', 'HEAD:refs/notes/x')
  assert.deepEqual(told(), [])
  assert.deepEqual(repository.waiting(), [])
})

test('what is no hook call is one line and exit code 0', { timeout: 120_000 }, async (context) => {
  const { hook, master } = await world(context)
  const garbage = await hook('what?\n')
  assert.deepEqual([garbage.code, garbage.stdout], [0, ''])
  assert.match(garbage.stderr, /^boltbot: the master was not told of this commit: .*post-receive hook\.\n$/)
  const odd = await hook('', '--colour=red')
  assert.equal(odd.code, 0)
  assert.match(odd.stderr, /^boltbot: Unknown option "--colour=red"/)
  const nothing = await hook('')
  assert.deepEqual([nothing.code, nothing.stderr], [0, ''])
  const gone = await hook(`${'1'.repeat(40)} ${'2'.repeat(40)} refs/heads/main\n`)
  assert.equal(gone.code, 0)
  assert.match(gone.stderr, /^boltbot: what was committed waits for the master: .*\n$/)
  assert.deepEqual(master.changes, [])
})

test('hooks at the same time lose, double and reorder nothing', { timeout: 120_000 }, async (context) => {
  const { master, git, hook, repository } = await world(context)
  const lines: string[] = []
  let before = await git('rev-parse', 'HEAD')
  for (let i = 1; i <= 8; i++) {
    await git('commit', '-q', '--allow-empty', '-m', `commit ${i}`)
    const after = await git('rev-parse', 'HEAD')
    lines.push(`${before} ${after} refs/heads/main\n`)
    before = after
  }
  writeFileSync(join(repository.path, 'hooks', 'post-receive'), '#!/bin/sh\nexit 0\n')
  await git('push', '-q', 'origin', 'main')
  const ran = await Promise.all(lines.map((line) => hook(line)))
  assert.deepEqual(
    ran.map(({ code, stderr }) => `${code}${stderr}`),
    lines.map(() => '0'),
  )
  await until(() => repository.waiting().length === 0, { what: 'nothing to wait', seen: () => repository.log() })
  assert.deepEqual(
    master.changes.map(({ comments }) => comments),
    lines.map((_, i) => `commit ${i + 1}`),
  )
})

test('a change that is refused is put aside, one that could not be stored waits', {
  timeout: 120_000,
}, async (context) => {
  const { master, repository } = await world(context)
  const refusal = (comments: string, code: string) =>
    master.refuse((change) => (change.comments === comments ? new CiError({ code, message: 'Not now.' }) : undefined))
  refusal('bad', 'TEST_REFUSED')
  await repository.commit('bad')
  refusal('later', 'BOLT_STORE_FULL')
  await repository.commit('later')
  await repository.commit('last')
  assert.deepEqual(master.changes, [])
  refusal('', '')
  await boltbot(['hook', 'flush', repository.path])
  assert.deepEqual(
    master.changes.map(({ comments }) => comments),
    ['later', 'last'],
  )
  const [failed] = readFileSync(join(repository.queue, 'failed.jsonl'), 'utf8').trim().split('\n')
  assert.match(failed!, /"reason":"Not now\.".*"comments":"bad"/)
})

test('a sender that is killed leaves the rest to the next', { timeout: 120_000 }, async (context) => {
  const { master, repository } = await world(context)
  await master.goAway()
  await repository.commitMany(300)
  await master.comeBack()
  const entry = join(import.meta.dirname, '../../core/cli/boltbot.js')
  for (const least of [20, 80]) {
    const child = spawn(process.execPath, [entry, 'hook', 'flush', repository.path], { stdio: 'ignore' })
    await master.wait(least)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const done = await boltbot(['hook', 'flush', repository.path])
  assert.equal(done.code, 0, done.stdout)
  // The one that was under way may come twice; the master knows it by its revision.
  const revisions = [...new Set(master.changes.map(({ revision }) => revision))]
  const comments = revisions.map((revision) => master.changes.find((change) => change.revision === revision)!.comments)
  assert.deepEqual(
    comments,
    Array.from({ length: 300 }, (_, i) => `many ${i + 1}`),
  )
  assert.ok(master.changes.length <= 302, `${master.changes.length} with those that came twice`)
})

test('a master that takes the connection and says nothing holds a push up for the timeout only', {
  timeout: 120_000,
}, async (context) => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  context.after(() => silent.close())
  const { port } = silent.address() as { readonly port: number }
  const { hook, git } = await world(context)
  const head = await git('rev-parse', 'HEAD')
  const ran = await hook(`${NONE} ${head} refs/heads/other\n`, '--pb', `127.0.0.1:${port}`, '--timeout', '2')
  assert.equal(ran.code, 0)
  assert.match(ran.stderr, /waits for the master: .*does not answer in time/)
})

test('over HTTP a webhook takes the same, with the secret of a file', { timeout: 120_000 }, async () => {
  const port = await reservePort()
  const bot = slave({ name: 'bot', password: 'pass1' })
  const start = () =>
    startLiveMaster({
      transports: [stockWorkers({ port: 0 })],
      slaves: [bot],
      builders: [builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: 'true' })]) })],
      http: { port },
      sources: [webhook({ forge: 'plain', secret: secret('hooks') })],
    })
  const url = `http://127.0.0.1:${port}/hooks/plain`
  await using repository = await createHookedRepository('git', ['--url', url, '--secret-file', 'secret'])
  writeFileSync(join(repository.folder, 'secret'), 'wrong\n')
  {
    await using live = await start()
    await repository.commit('one', { 'grün.c': 'x\n' })
    assert.match(repository.log(), /does not take changes at "\S+\/hooks\/plain": 401 /)
    assert.deepEqual(await live.master.query.changes({}), [])
  }
  writeFileSync(join(repository.folder, 'secret'), 'secret hooks\n')
  await repository.commit('two')
  assert.match(repository.log(), /ECONNREFUSED/)
  await using live = await start()
  await repository.commit('three')
  const changes = await live.master.query.changes({})
  assert.deepEqual(changes.map(({ comments }) => comments).sort(), ['one', 'three', 'two'])
  assert.deepEqual(changes.find(({ comments }) => comments === 'one')?.files, ['grün.c'])
  assert.equal(existsSync(join(repository.queue, 'failed.jsonl')), false)
})
