import assert from 'node:assert/strict'
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { SourceStamp } from 'boltbot/plugin-sdk'
import { createFakeClock, until } from 'boltbot/plugin-sdk/testing'
import { type GitOptions, git } from 'boltbot/plugins/vc/git'
import { patternOf } from '../../../plugins/vc/git/working-tree.ts'
import { createLocalStep, type LocalStepOptions } from './command-runner.ts'
import { createRepository, type Repository } from './repository.ts'

describe('git checkout', () => {
  it('clones, sets got_revision, and updates in place, leaving what builds left', async () => {
    await using repository = await createRepository()
    const one = await repository.commit('one', { 'a.c': '1', 'gone.c': '1' })
    const first = await checkout(repository, { branch: 'main' })
    assert.equal(first.outcome.result, 'success')
    assert.equal(first.step.properties.got_revision?.value, one)
    await writeFile(built(repository, 'a.o'), 'object')
    await writeFile(built(repository, 'a.c'), 'edited by the build')

    const two = await repository.commit('two', { 'a.c': '2', 'gone.c': null })
    const second = await checkout(repository, { branch: 'main' })
    assert.equal(second.step.properties.got_revision?.value, two)
    assert.equal(await readFile(built(repository, 'a.c'), 'utf8'), '2')
    assert.deepEqual((await readdir(built(repository))).sort(), ['.git', 'a.c', 'a.o'])
    assert.deepEqual(
      programs(second.step.asked).filter((line) => line.startsWith('git init')),
      [],
    )
  })

  it('builds the revision of the source stamp, also an older one, without asking the server for what it has', async () => {
    await using repository = await createRepository()
    const one = await repository.commit('one', { 'a.c': '1' })
    await repository.commit('two', { 'a.c': '2' })
    await checkout(repository)
    const { step } = await checkout(repository, {}, { branch: 'main', revision: one })
    assert.equal(step.properties.got_revision?.value, one)
    assert.equal(await readFile(built(repository, 'a.c'), 'utf8'), '1')
    assert.deepEqual(
      programs(step.asked).filter((line) => line.startsWith('git fetch')),
      [],
    )
    const latest = await checkout(repository, { alwaysUseLatest: true }, { branch: 'main', revision: one })
    assert.notEqual(latest.step.properties.got_revision?.value, one)
  })

  it('prefers the branch of the source stamp to that of the step, and without both takes HEAD', async () => {
    await using repository = await createRepository()
    await repository.commit('base', { 'a.c': 'main' })
    const side = await repository.commit('side', { 'a.c': 'side' }, 'feature/x')
    await repository.git('checkout', '--quiet', 'main')
    const { step } = await checkout(repository, { branch: 'main' }, { branch: 'feature/x' })
    assert.equal(step.properties.got_revision?.value, side)
    await checkout(repository)
    assert.equal(await readFile(built(repository, 'a.c'), 'utf8'), 'main')
  })

  it('finds a revision that no branch has any more, and a tag', async () => {
    await using repository = await createRepository()
    const base = await repository.commit('base', { 'a.c': '1' })
    await repository.git('config', 'uploadpack.allowAnySHA1InWant', 'true')
    const lost = await repository.commit('lost', { 'a.c': '2' })
    await repository.git('reset', '--quiet', '--hard', base)
    await repository.git('tag', 'v1.0', base)
    assert.equal((await checkout(repository, {}, { branch: 'main', revision: lost })).outcome.result, 'success')
    const tagged = await checkout(repository, {}, { branch: 'main', revision: 'v1.0' })
    assert.equal(tagged.step.properties.got_revision?.value, base)
  })

  it('copies a kept tree in mode copy', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await checkout(repository, { mode: 'copy' })
    await writeFile(built(repository, 'a.o'), 'object')
    await repository.commit('two', { 'a.c': '2' })
    const { step } = await checkout(repository, { mode: 'copy' })
    assert.deepEqual((await readdir(built(repository))).sort(), ['.git', 'a.c'])
    assert.equal(await readFile(built(repository, 'a.c'), 'utf8'), '2')
    assert.equal(programs(step.asked).filter((line) => line.startsWith('git init')).length, 0)
  })

  it('clones anew in mode clobber, and leaves no metadata in mode export', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await checkout(repository, { mode: 'clobber' })
    await writeFile(built(repository, 'a.o'), 'object')
    await checkout(repository, { mode: 'clobber' })
    assert.deepEqual((await readdir(built(repository))).sort(), ['.git', 'a.c'])
    const { step } = await checkout(repository, { mode: 'export' })
    assert.deepEqual(await readdir(built(repository)), ['a.c'])
    assert.match(`${step.properties.got_revision?.value}`, /^[0-9a-f]{40}$/)
  })

  it('throws away what is no checkout, one of another repository, and a broken one, and says so', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await mkdir(built(repository), { recursive: true })
    await writeFile(built(repository, 'junk'), '')
    const foreign = await checkout(repository)
    assert.equal(foreign.outcome.result, 'success')
    assert.match(foreign.step.logs.get('stdio') ?? '', /"build" is no git checkout, cloning anew/)
    assert.deepEqual((await readdir(built(repository))).sort(), ['.git', 'a.c'])

    await repository.git('clone', '--quiet', '--bare', repository.path, `${repository.path}.git`)
    const other = await checkout(repository, { repourl: `${repository.path}.git` })
    assert.match(other.step.logs.get('stdio') ?? '', /checkout of another repository or broken, cloning anew/)

    await writeFile(built(repository, '.git/index'), 'no index')
    const broken = await checkout(repository, { repourl: `${repository.path}.git` })
    assert.equal(broken.outcome.result, 'success', broken.log)
    assert.match(broken.step.logs.get('stdio') ?? '', /update of "build" failed, checking out anew/)
  })

  it('knows its repository by the whole address, whatever signs are in it', async () => {
    await using repository = await createRepository()
    const odd = ['https://h.example/a.b', '/x/(a|b)+{2}[c]*?^$\\.git', 'git@h:a']
    for (const url of odd) {
      const file = join(repository.path, 'odd.cfg')
      await rm(file, { force: true })
      const asked = (...args: string[]) => repository.git('config', '-f', file, ...args)
      await asked('remote.origin.url', url)
      assert.equal((await asked('--get', 'remote.origin.url', patternOf(url))).trim(), url)
      for (const other of [`${url}x`, `x${url}`, url.replace('.', 'x'), url.slice(1)])
        if (other !== url) await assert.rejects(asked('--get', 'remote.origin.url', patternOf(other)), other)
    }
  })

  it('clears away the lock of a git that was killed', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await checkout(repository)
    await writeFile(built(repository, '.git/index.lock'), '')
    await repository.commit('two', { 'a.c': '2' })
    const { outcome } = await checkout(repository)
    assert.equal(outcome.result, 'success')
    assert.equal(await readFile(built(repository, 'a.c'), 'utf8'), '2')
  })

  it('keeps the tree when the server is away', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await checkout(repository)
    await repository.git('branch', '-m', 'other')
    await rm(join(repository.path, '.git'), { recursive: true })
    const { outcome, step } = await checkout(repository, { branch: 'main' })
    assert.equal(outcome.result, 'failure')
    assert.deepEqual(outcome.detail, ['(see the log)'])
    assert.ok(!('got_revision' in step.properties))
    await access(built(repository, 'a.c'))
  })

  it('takes no notice of a repository around the slave', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    await repository.git('init', '--quiet', repository.folder)
    await mkdir(join(repository.folder, 'slave/build'), { recursive: true })
    const { outcome } = await checkout(repository)
    assert.equal(outcome.result, 'success')
    await access(built(repository, '.git/HEAD'))
  })

  it('tries again after the delay, as often as it was told', async () => {
    await using repository = await createRepository()
    const clock = createFakeClock()
    const waited: number[] = []
    const patient = {
      ...clock,
      async sleep(ms: number) {
        waited.push(ms)
        if (waited.length === 2) await repository.commit('late', { 'a.c': '1' })
      },
    }
    const { outcome, step } = await checkout(repository, { branch: 'main', retry: ['30s', 5] }, {}, { clock: patient })
    assert.equal(outcome.result, 'success')
    assert.deepEqual(waited, [30_000, 30_000])
    assert.match(step.logs.get('stdio') ?? '', /checkout failed, next try in 30s \(2 of 5\)/)
    const never = await checkout(repository, { branch: 'no-such', retry: [1, 2] }, {}, { clock: patient })
    assert.equal(never.outcome.result, 'failure')
    assert.equal(waited.length, 4)
  })

  it('ends while it waits for the next try when the build is stopped', async () => {
    await using repository = await createRepository()
    const clock = createFakeClock()
    const stop = new AbortController()
    const run = checkout(repository, { branch: 'main', retry: ['1h', 9] }, {}, { clock, signal: stop.signal })
    await until(() => clock.pending().length > 0, { what: 'the step to wait' })
    stop.abort(new Error('stopped'))
    await assert.rejects(run, /stopped/)
    assert.deepEqual(clock.pending(), [])
  })

  it('fetches one commit when it is shallow, and more when it must', async () => {
    await using repository = await createRepository()
    const one = await repository.commit('one', { 'a.c': '1' })
    await repository.commit('two', { 'a.c': '2' })
    await repository.commit('three', { 'a.c': '3' })
    const repourl = `file://${repository.path}`
    await checkout(repository, { repourl, shallow: true, branch: 'main' })
    assert.equal(await count(repository), '1')
    const older = await checkout(repository, { repourl, shallow: true }, { branch: 'main', revision: one })
    assert.equal(older.outcome.result, 'success', older.log)
    assert.equal(await readFile(built(repository, 'a.c'), 'utf8'), '1')
  })

  it('checks out submodules when asked, and exports them without metadata', async () => {
    await using inner = await createRepository()
    await inner.commit('inner', { 'i.c': 'i' })
    await using repository = await createRepository()
    await repository.commit('outer', { 'o.c': 'o' })
    await repository.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.path, 'lib')
    await repository.commit('with lib')
    const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'protocol.file.allow', GIT_CONFIG_VALUE_0: 'always' }
    const { outcome, log } = await checkout(repository, { submodules: true, env })
    assert.equal(outcome.result, 'success', log)
    assert.equal(await readFile(built(repository, 'lib/i.c'), 'utf8'), 'i')
    await checkout(repository, { submodules: true, env, mode: 'export' })
    assert.deepEqual(
      (await readdir(built(repository), { recursive: true })).filter((name) => /\.git$/.test(name)),
      [],
    )
    assert.equal(await readFile(built(repository, 'lib/i.c'), 'utf8'), 'i')
  })

  it('applies the patch of the source stamp, and cleans up after it in the next build', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'src/a.c': 'old\n' })
    const body = '--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-old\n+new\n--- /dev/null\n+++ b/added.c\n@@ -0,0 +1 @@\n+added\n'
    const patch = { level: 1, body, subdir: 'src' }
    const { outcome, log } = await checkout(repository, {}, { patch })
    assert.equal(outcome.result, 'success', log)
    assert.equal(await readFile(built(repository, 'src/a.c'), 'utf8'), 'new\n')
    await access(built(repository, 'src/added.c'))
    await checkout(repository)
    assert.equal(await readFile(built(repository, 'src/a.c'), 'utf8'), 'old\n')
    assert.deepEqual(await readdir(built(repository, 'src')), ['a.c'])
    const exported = await checkout(repository, { mode: 'export' }, { patch })
    assert.equal(exported.outcome.result, 'success')
    assert.equal(await readFile(built(repository, 'src/a.c'), 'utf8'), 'new\n')
  })

  it('fails when the patch does not fit or reaches outside', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': 'old\n' })
    const misfit = '--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-other\n+new\n'
    const outside = '--- /dev/null\n+++ b/../../evil\n@@ -0,0 +1 @@\n+evil\n'
    const hook = '--- /dev/null\n+++ b/.git/hooks/post-checkout\n@@ -0,0 +1 @@\n+evil\n'
    for (const patch of [
      { level: 1, body: misfit, subdir: '' },
      { level: 1, body: outside, subdir: '' },
      { level: 1, body: hook, subdir: '' },
      { level: 1, body: 'no patch at all', subdir: '' },
      { level: 1, body: misfit, subdir: '../..' },
    ]) {
      const { outcome } = await checkout(repository, {}, { patch })
      assert.deepEqual([outcome.result, outcome.detail], ['failure', ['(the patch does not apply)']], patch.body)
    }
    await assert.rejects(access(join(repository.folder, 'evil')))
    await assert.rejects(access(built(repository, '.git/hooks/post-checkout')))
  })

  it('refuses branches and revisions that git would take for something else', async () => {
    await using repository = await createRepository()
    await repository.commit('one', { 'a.c': '1' })
    for (const name of ['--upload-pack=touch evil', 'a..b', 'a b', 'x:y', 'x^{tree}', '@{-1}', '*', 'a\nb', '']) {
      for (const stamp of [{ revision: name }, { branch: name }]) {
        const { outcome, step } = await checkout(repository, {}, stamp)
        assert.equal(outcome.result, 'failure', name)
        assert.deepEqual(step.asked, [], name)
      }
    }
  })

  it('lets a lost slave through', async () => {
    await using repository = await createRepository()
    const lost = Object.assign(new Error('lost'), { code: 'BOLT_SESSION_LOST' })
    const instead = () => {
      throw lost
    }
    await assert.rejects(checkout(repository, {}, {}, { instead }), (error) => error === lost)
  })
})

async function checkout(
  repository: Repository,
  options: Partial<GitOptions> = {},
  sourceStamp: Partial<SourceStamp> = {},
  more: Partial<LocalStepOptions> = {},
) {
  const step = createLocalStep({ directory: join(repository.folder, 'slave'), sourceStamp, ...more })
  const outcome = await step.run(git({ repourl: repository.path, ...options }))
  return { step, outcome, log: step.logs.get('stdio') ?? '' }
}

function built(repository: Repository, name = ''): string {
  return join(repository.folder, 'slave/build', name)
}

function count(repository: Repository): Promise<string> {
  return repository.git('--git-dir', built(repository, '.git'), 'rev-list', '--count', 'HEAD')
}

function programs(asked: ReturnType<typeof createLocalStep>['asked']): readonly string[] {
  return asked.flatMap((command) =>
    command.kind === 'shell' && typeof command.command !== 'string' ? [command.command.join(' ')] : [],
  )
}
