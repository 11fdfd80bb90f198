import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { hasCode } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { guessSteps } from '../../../core/cli/init/guess-steps.ts'
import { parseRepoAddress } from '../../../core/cli/init/repo-address.ts'
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

async function makeRepository(folder: string): Promise<void> {
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', folder, ...args], { stdio: 'pipe' })
  git('init', '-q', '-b', 'trunk')
  await writeFile(join(folder, 'Makefile'), 'all:\n\techo built\ncheck:\n\techo tested\n')
  git('add', '.')
  git('-c', 'user.name=j', '-c', 'user.email=j@example.org', 'commit', '-q', '-m', 'first')
}

/** The repositories of a folder by http, for one user: Git's own program for that, behind a door. */
async function serveGit(folder: string, user: string, password: string) {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const server = createServer((request, response) => {
    if (request.headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return
    }
    const url = new URL(request.url ?? '/', 'http://host')
    const env = {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    }
    const program = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
    request.pipe(program.stdin)
    void buffer(program.stdout).then((answer) => {
      const end = answer.indexOf('\r\n\r\n')
      const fields = answer.subarray(0, end).toString().split('\r\n')
      response
        .writeHead(200, Object.fromEntries(fields.map((field) => field.split(': '))))
        .end(answer.subarray(end + 4))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

test('a repository gets a master that builds it', async () => {
  await using rig = await createCliRig(['ci'])
  const repo = join(rig.path, "it's.git")
  await mkdir(repo)
  await makeRepository(repo)

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

test('a password in the address becomes a secret, and is to be seen nowhere else', async () => {
  await using rig = await createCliRig()
  await mkdir(join(rig.path, 'hello.git'))
  await makeRepository(join(rig.path, 'hello.git'))
  await using server = await serveGit(rig.path, 'jane', 'hu"sh $x@1')
  const trace = join(rig.path, 'trace')
  const at = `127.0.0.1:${server.port}/hello.git`
  const init = (url: string) => rig.runWith({ GIT_TRACE: trace }, 'init', 'ci', '--repo', url)

  const wrong = await init(`http://jane:wrong-word@${at}`)
  assert.match(wrong.err, /^boltbot: The repository "http:\/\/127[^@]*" cannot be read: Authentication failed/)
  assert.doesNotMatch(wrong.err, /wrong-word/)

  const made = await init(`http://jane:hu%22sh%20$x%401@${at}`)
  assert.equal(made.code, 0, made.err)
  const secret = join(rig.path, 'ci/secrets/git')
  assert.equal(await readFile(secret, 'utf8'), 'hu"sh $x@1\n')
  assert.equal((await stat(secret)).mode & 0o777, 0o600)
  const config = await readFile(join(rig.path, 'ci/master.cfg.ts'), 'utf8')
  assert.match(config, /credentials = \{ username: 'jane', password: secret\('git'\) \}/)
  assert.equal(config.match(/repourl, credentials/g)?.length, 2)
  const commands = await readFile(trace, 'utf8')
  assert.match(commands, /git .*clone/)
  for (const shown of [config, commands, made.out, made.err]) assert.doesNotMatch(shown, /hu["%]/)
  const checked = await rig.run('checkconfig', 'ci')
  assert.equal(checked.code, 0, checked.err)
})

test('a password is taken out of web addresses only; where git has no use for it, it is refused unseen', () => {
  assert.deepEqual(parseRepoAddress('https://git.example.org/a.git').login, undefined)
  assert.deepEqual(parseRepoAddress('https://jane@git.example.org/a.git').repourl, 'https://jane@git.example.org/a.git')
  assert.deepEqual(parseRepoAddress('git@git.example.org:a.git').login, undefined)
  assert.deepEqual(parseRepoAddress('https://jane:p@ss:1@git.example.org/a.git'), {
    repourl: 'https://git.example.org/a.git',
    login: { username: 'jane', password: 'p@ss:1' },
  })
  for (const bad of ['ssh://git:hush@host/a', 'https://ghp_0123456789abcdef@host/a', 'https://:hush@host/a'])
    assert.throws(
      () => parseRepoAddress(bad),
      (error) =>
        hasCode(error, 'BOLT_CLI_REPO_PASSWORD') && !/hush|ghp/.test(error.message + JSON.stringify(error.details)),
    )
})

test('a repository that cannot be read is one sentence', async () => {
  await using rig = await createCliRig()
  const { code, err } = await rig.run('init', 'ci', '--repo', '/nowhere/hello.git')
  assert.equal(code, 1)
  assert.match(err, /^boltbot: The repository "\/nowhere\/hello\.git" cannot be read: .*does not (exist|appear)/)
})
