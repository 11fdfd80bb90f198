import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CiError, secret } from 'boltbot/plugin-sdk'
import { createTestHost, type TestHost, until } from 'boltbot/plugin-sdk/testing'
import { type GitPollerOptions, gitPoller } from 'boltbot/plugins/vc/git'
import { createCredentials } from '../../../plugins/vc/git/credentials.ts'
import { createGit } from '../../../plugins/vc/git/git-process.ts'
import { createRepository, type Repository } from './repository.ts'

describe('git poller', () => {
  it('records the heads at the first poll and hands in nothing', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await using test = await started(repository)
    await test.poll()
    assert.deepEqual(test.records.changes, [])
    assert.deepEqual(Object.keys((test.state.get('heads') as { heads: object }).heads), ['main'])
  })

  it('hands in each later commit, oldest first, with what git knows of it', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await using test = await started(repository, {
      project: 'hello',
      category: 'c',
      codebase: 'cb',
      revlink: (r) => `x/${r}`,
    })
    await test.poll()
    const two = await repository.commit('two\n\nmore words\n', { 'a.c': '2', 'src/b.c': 'x' })
    const three = await repository.commit('three', { 'a.c': null })
    await test.poll()
    assert.deepEqual(
      test.records.changes.map((change) => change.revision),
      [two, three],
    )
    assert.deepEqual(test.records.changes[0], {
      who: 'Jane Doe <jane@example.org>',
      files: ['a.c', 'src/b.c'],
      comments: 'two\n\nmore words',
      branch: 'main',
      revision: two,
      repository: repository.path,
      project: 'hello',
      category: 'c',
      codebase: 'cb',
      revlink: `x/${two}`,
      when: 1_700_000_120_000,
    })
  })

  it('asks ls-remote only when nothing is new', async () => {
    await using repository = await createRepository()
    await repository.commit('one')
    const calls = join(repository.folder, 'calls')
    const gitbin = join(repository.folder, 'git-noting')
    await writeFile(gitbin, `#!/bin/sh\necho "$@" >> '${calls}'\nexec git "$@"\n`)
    await chmod(gitbin, 0o755)
    await using test = await started(repository, { gitbin })
    await test.poll()
    await rm(calls)
    await test.poll()
    assert.equal(await readFile(calls, 'utf8'), `ls-remote --heads -- ${repository.path}\n`)
  })

  it('gives both names of a rename, names beyond ASCII, and no files for an empty commit', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'old name.c': 'same text\n' })
    await using test = await started(repository)
    await test.poll()
    await repository.commit('rename', { 'old name.c': null, 'grün/neu\n"x".c': 'same text\n' })
    await repository.commit('nothing')
    await test.poll()
    assert.deepEqual(
      test.records.changes.map(({ files }) => [...files].sort()),
      [['grün/neu\n"x".c', 'old name.c'].sort(), []],
    )
  })

  it('hands in the commits of a merge and the merge, with what it brought to the branch', async () => {
    await using repository = await createRepository()
    await repository.commit('base', { 'a.c': '1' })
    await using test = await started(repository)
    await test.poll()
    const side = await repository.commit('side', { 'side.c': '1' }, 'side')
    const main = await repository.commit('main', { 'main.c': '1' })
    await repository.git('merge', '--quiet', '--no-ff', '--message', 'merge side', 'side')
    await test.poll()
    const merge = await repository.git('rev-parse', 'main')
    const seen = test.records.changes.filter(({ branch }) => branch === 'main')
    assert.deepEqual(
      seen.map(({ revision, files }) => [revision, files]),
      [
        [side, ['side.c']],
        [main, ['main.c']],
        [merge, ['side.c']],
      ],
    )
  })

  it('follows the branches that fit, and no others', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    await using test = await started(repository, { branches: ['main', 'feature/*'] })
    await test.poll()
    await repository.commit('a', {}, 'feature/a/b')
    await repository.commit('b', {}, 'features')
    await repository.commit('c', {}, 'feature.x')
    await test.poll()
    assert.deepEqual(
      test.records.changes.map(({ branch, comments }) => [branch, comments]),
      [['feature/a/b', 'a']],
    )
  })

  it('gives a new branch what no known branch has, and at least its head', async () => {
    await using repository = await createRepository()
    for (const name of ['1', '2', '3']) await repository.commit(name)
    await using test = await started(repository, { branches: true })
    await test.poll()
    await repository.git('branch', 'same')
    await repository.commit('x', {}, 'new')
    await repository.commit('y', {}, 'new')
    await test.poll()
    assert.deepEqual(test.records.changes.map(({ branch, comments }) => `${branch} ${comments}`).sort(), [
      'new x',
      'new y',
      'same 3',
    ])
  })

  it('hands in what a forced push brought, and nothing when it took commits away', async () => {
    await using repository = await createRepository()
    await repository.commit('1')
    await repository.commit('2')
    await using test = await started(repository)
    await test.poll()
    await repository.git('reset', '--quiet', '--hard', 'HEAD~1')
    await repository.commit('2 better')
    await repository.commit('3')
    await repository.git('reflog', 'expire', '--expire=now', '--all')
    await repository.git('gc', '--quiet', '--prune=now')
    await test.poll()
    assert.deepEqual(comments(test), ['2 better', '3'])
    await repository.git('reset', '--quiet', '--hard', 'HEAD~1')
    await test.poll()
    assert.deepEqual(comments(test), ['2 better', '3'])
  })

  it('forgets a deleted branch, and takes a later one of that name as new', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    await repository.commit('old', {}, 'side')
    await repository.git('checkout', '--quiet', 'main')
    await using test = await started(repository, { branches: true })
    await test.poll()
    await repository.git('branch', '-D', 'side')
    await test.poll()
    assert.deepEqual(Object.keys((test.state.get('heads') as { heads: object }).heads), ['main'])
    await repository.commit('again', {}, 'side')
    await test.poll()
    assert.deepEqual(comments(test), ['again'])
  })

  it('copes with a branch that became a folder of branches', async () => {
    await using repository = await createRepository()
    await repository.commit('base', {}, 'main')
    await repository.commit('flat', {}, 'x')
    await using test = await started(repository, { branches: true })
    await test.poll()
    await repository.git('checkout', '--quiet', 'main')
    await repository.git('branch', '-D', 'x')
    await repository.commit('deep', {}, 'x/y')
    await test.poll()
    assert.deepEqual(comments(test), ['deep'])
  })

  it('catches up in order after a long time away, and begins again where submitting failed', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    let room = 3
    const seen: string[] = []
    await using test = await started(repository, {}, async (change) => {
      if (room-- === 0) throw new Error('disk full')
      if (!seen.includes(change.comments)) seen.push(change.comments)
      return { change: change as never, duplicate: false }
    })
    await test.poll()
    for (let i = 0; i < 10; i++) await repository.commit(`commit ${i}`)
    await assert.rejects(test.poll(), /disk full/)
    room = 100
    await test.poll()
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, i) => `commit ${i}`),
    )
  })

  it('passes over a change that is refused for good', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    const seen: string[] = []
    await using test = await started(repository, {}, async (change) => {
      if (change.comments === 'bad') throw new CiError({ code: 'MINE_REFUSED', message: 'No.' })
      seen.push(change.comments)
      return { change: change as never, duplicate: false }
    })
    await test.poll()
    await repository.commit('bad')
    await repository.commit('good')
    await test.poll()
    assert.deepEqual(seen, ['good'])
    assert.equal(test.log.find('warn', 'change rejected, it is passed over').length, 1)
  })

  it('makes its mirror anew when that is damaged or gone', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    await using test = await started(repository)
    await test.poll()
    await rm(join(repository.folder, 'state'), { recursive: true })
    await mkdir(join(repository.folder, 'state'))
    await repository.commit('one')
    await test.poll()
    const [mirror = ''] = await readdir(join(repository.folder, 'state'))
    await writeFile(join(repository.folder, 'state', mirror, 'refs/boltbot/main.lock'), '')
    await repository.commit('two')
    await test.poll()
    assert.deepEqual(comments(test), ['one', 'two'])
  })

  it('keeps passwords out of changes, errors and its id', async () => {
    const plugin = gitPoller({ repourl: 'https://robot:s3cret@127.0.0.1:1/x.git', branches: ['main'] })
    assert.equal(plugin.id, 'git https://127.0.0.1:1/x.git')
    await using test = createTestHost({ directory: '/nowhere' })
    await test.run(plugin)
    await assert.rejects(test.poll(), (error: CiError) => {
      assert.equal(error.code, 'BOLT_VC_FAILED')
      assert.doesNotMatch(JSON.stringify([error.message, error.details]), /s3cret/)
      return true
    })
  })

  it('hands in the newest of too many commits, and says which it skipped', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    await using test = await started(repository, { maxChanges: 2 })
    await test.poll()
    const revisions: string[] = []
    for (let i = 0; i < 5; i++) revisions.push(await repository.commit(`commit ${i}`))
    await test.poll()
    assert.deepEqual(
      test.records.changes.map((change) => change.comments),
      ['commit 3', 'commit 4'],
    )
    const [warning] = test.log.find('warn')
    assert.match(JSON.stringify(warning), new RegExp(`"skipped":3.*${revisions[0]}.*${revisions[2]}`))
  })

  it('follows tags when asked, annotated or not, also moved ones', async () => {
    await using repository = await createRepository()
    const base = await repository.commit('base')
    await repository.git('tag', 'v0')
    await using test = await started(repository, { tags: ['v*'] })
    await test.poll()
    const one = await repository.commit('one')
    await repository.git('tag', '--annotate', '--message', 'the first', 'v1')
    await repository.git('tag', 'other')
    await repository.git('tag', '--force', 'v0')
    await test.poll()
    await test.poll()
    const seen = test.records.changes.map(({ branch, revision }) => `${branch} ${revision}`)
    assert.deepEqual(seen.toSorted(), [`main ${one}`, `refs/tags/v0 ${one}`, `refs/tags/v1 ${one}`])
    assert.notEqual(base, one)
  })

  it('names the path of a submodule that was moved on', async () => {
    await using inner = await createRepository()
    await inner.commit('inner', { 'i.c': 'i' })
    await using repository = await createRepository()
    await repository.commit('base')
    await using test = await started(repository)
    await test.poll()
    await repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.path, 'lib')
    await repository.commit('with lib')
    await test.poll()
    assert.deepEqual(test.records.changes[0]?.files, ['.gitmodules', 'lib'])
  })

  it('gives user and password to its own server, and to no other', async () => {
    await using folder = await createRepository()
    const seen: string[] = []
    const server = createServer(({ headers }, response) => {
      seen.push(headers.authorization ?? '')
      response.writeHead(headers.authorization ? 404 : 401, { 'www-authenticate': 'Basic realm="x"' }).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const credentials = { username: 'ci', password: secret('git-token') }
    const url = `http://127.0.0.1:${port}/hello.git`
    await using test = createTestHost({ directory: folder.folder, secrets: { 'git-token': 'hu"sh $x' } })
    await test.run(gitPoller({ repourl: url, branches: true, credentials }))
    await assert.rejects(test.poll(), (error: Error) => !/hu"sh/.test(error.message))
    assert.equal(seen.at(-1), `Basic ${Buffer.from('ci:hu"sh $x').toString('base64')}`)
    const other = createCredentials(test.host, { repourl: url.replace('127.0.0.1', 'other.example.org'), credentials })
    const count = seen.length
    await assert.rejects(createGit('git', { env: other.env })(['ls-remote', '--', url]))
    assert.deepEqual([...new Set(seen.slice(count))], [''])
    server.close()
    server.closeAllConnections()
  })

  it('talks ssh to the pinned server alone, with its own key, which only it can read', async () => {
    await using repository = await createRepository()
    const noted = join(repository.folder, 'ssh-arguments')
    await writeFile(join(repository.folder, 'ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" > '${noted}'\nexit 1\n`, {
      mode: 0o755,
    })
    const before = process.env.PATH
    process.env.PATH = `${repository.folder}:${before}`
    try {
      await using test = createTestHost({ directory: repository.folder, secrets: { key: 'the key' } })
      const sshKnownHosts = 'git.example.org ssh-ed25519 AAAA'
      const repourl = 'git@git.example.org:hello.git'
      await test.run(gitPoller({ repourl, branches: true, sshPrivateKey: secret('key'), sshKnownHosts }))
      await assert.rejects(test.poll(), { code: 'BOLT_VC_FAILED' })
      const args = await readFile(noted, 'utf8')
      const key = join(repository.folder, 'ssh-key')
      assert.match(args, /StrictHostKeyChecking=yes/)
      assert.ok(args.includes(`IdentityFile="${key}"`) && args.includes('IdentitiesOnly=yes'), args)
      assert.equal(await readFile(key, 'utf8'), 'the key\n')
      assert.equal((await stat(key)).mode & 0o777, 0o600)
      assert.equal(await readFile(join(repository.folder, 'known-hosts'), 'utf8'), `${sshKnownHosts}\n`)
    } finally {
      process.env.PATH = before
    }
  })

  it('says in one sentence that git is missing', async () => {
    await using test = createTestHost({ directory: '/nowhere' })
    await test.run(gitPoller({ repourl: '/r', branches: true, gitbin: '/no/such/git' }))
    await assert.rejects(test.poll(), {
      code: 'BOLT_VC_MISSING',
      message: /^The program "\/no\/such\/git" cannot be run/,
    })
  })

  it('is not led astray by the surroundings', async () => {
    await using repository = await createRepository()
    await repository.commit('base')
    await using test = await started(repository)
    process.env.GIT_DIR = '/nowhere/at/all'
    try {
      await test.poll()
    } finally {
      delete process.env.GIT_DIR
    }
    assert.ok(test.state.has('heads'))
  })

  it('ends git and what git started when it is stopped', async () => {
    await using repository = await createRepository()
    const gitbin = join(repository.folder, 'git-hanging')
    await writeFile(gitbin, `#!/bin/sh\nsleep 600 &\necho $! > '${repository.folder}/pid'\nwait\n`)
    await chmod(gitbin, 0o755)
    await using test = await started(repository, { gitbin })
    const polled = assert.rejects(test.poll())
    const pid = await until(async () => Number(await readFile(join(repository.folder, 'pid'), 'utf8')) || null, {
      what: 'the helper of git to start',
    })
    await test.stop()
    await polled
    await until(() => !isAlive(pid), { what: 'the helper of git to end' })
  })
})

async function started(
  repository: Repository,
  options: Partial<GitPollerOptions> = {},
  submitChange?: TestHost['host']['submitChange'],
): Promise<TestHost> {
  const directory = join(repository.folder, 'state')
  await mkdir(directory)
  const test = createTestHost({ directory, ...(submitChange && { override: { submitChange } }) })
  await test.run(gitPoller({ repourl: repository.path, branches: ['main'], ...options }))
  return test
}

function comments(test: TestHost): readonly string[] {
  return test.records.changes.map((change) => change.comments)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
