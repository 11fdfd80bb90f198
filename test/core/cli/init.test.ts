import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { guessSteps } from '../../../core/cli/init/guess-steps.ts'
import { createCliRig } from '../../rig/cli.ts'

/** The commands that are guessed from these files. */
function guessed(files: Readonly<Record<string, string>>): readonly string[] | undefined {
  const guess = guessSteps({ has: (file) => file in files, read: (file) => files[file] ?? '' })
  return guess?.steps.map(({ kind, command }) => `${kind}: ${command.join(' ')}`)
}

test('steps are guessed from the build file of a project', () => {
  const npm = { scripts: { build: 'tsc', test: 'node --test', lint: 'biome check' } }
  assert.deepEqual(guessed({ 'package.json': JSON.stringify(npm), 'package-lock.json': '{}', Makefile: 'all:' }), [
    'shellCommand: npm ci',
    'shellCommand: npm run lint',
    'compile: npm run build',
    'test: npm test',
  ])
  const fresh = { scripts: { test: 'echo "Error: no test specified" && exit 1' } }
  assert.deepEqual(guessed({ 'package.json': JSON.stringify(fresh) }), ['shellCommand: npm install'])
  assert.deepEqual(guessed({ 'package.json': 'not JSON', 'yarn.lock': '' }), ['shellCommand: yarn install --immutable'])
  assert.deepEqual(guessed({ 'Cargo.toml': '' }), ['compile: cargo build --all-targets', 'test: cargo test'])
  assert.deepEqual(guessed({ 'pyproject.toml': '', 'tox.ini': '' }), ['test: tox'])
  assert.deepEqual(guessed({ 'configure.ac': '', Makefile: '' })?.at(0), 'shellCommand: autoreconf --install')
  assert.deepEqual(guessed({ Makefile: 'CFLAGS := -O2\nall:\n\tcc\ntest: all\n\t./t\n' }), [
    'compile: make',
    'test: make test',
  ])
  assert.deepEqual(guessed({ Makefile: 'test := x\nall:\n' }), ['compile: make'])
  assert.equal(guessed({ README: '' }), undefined)
})

test('a repository gets a master that builds it', async () => {
  await using rig = await createCliRig(['ci'])
  const repo = join(rig.path, "it's.git")
  await mkdir(repo)
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', repo, ...args], { stdio: 'pipe' })
  git('init', '-q', '-b', 'trunk')
  await writeFile(join(repo, 'Makefile'), 'all:\n\techo built\ncheck:\n\techo tested\n')
  git('add', '.')
  git('-c', 'user.name=j', '-c', 'user.email=j@example.org', 'commit', '-q', '-m', 'first')

  const made = await rig.run('init', 'ci', '--repo', "it's.git")
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /for branch "trunk" of .*it's\.git\.\nFrom Makefile: make; make check\.\n/)
  const checked = await rig.run('checkconfig', 'ci')
  assert.equal(checked.code, 0, checked.err)
  assert.equal((await rig.run('start', 'ci')).code, 0)
  assert.equal((await rig.run('force', 'full', '--basedir', 'ci')).code, 0)
  const builds = () => rig.run('builds', '--basedir', 'ci')
  await until(async () => / success /.test((await builds()).out), { what: 'the build', deadline: 30_000 })
  await rig.run('stop', 'ci')
})

test('a repository that cannot be read is one sentence', async () => {
  await using rig = await createCliRig()
  const { code, err } = await rig.run('init', 'ci', '--repo', '/nowhere/hello.git')
  assert.equal(code, 1)
  assert.match(err, /^boltbot: The repository "\/nowhere\/hello\.git" cannot be read: .*does not (exist|appear)/)
})
