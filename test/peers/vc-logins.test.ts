import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Doctor, type PluginInstance, type Step, secret } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog, createTestHost } from 'boltbot/plugin-sdk/testing'
import { bzr, bzrPoller } from 'boltbot/plugins/vc/bzr'
import { type GitPollerOptions, git, gitPoller } from 'boltbot/plugins/vc/git'
import { hg, hgPoller } from 'boltbot/plugins/vc/hg'
import { svn, svnPoller } from 'boltbot/plugins/vc/svn'
import { createRedactor } from '../../core/redact.ts'
import { shellHeader } from '../../slave/commands/header.ts'
import { configText } from '../e2e/rig/config.ts'
import { reservePort } from '../e2e/rig/ports.ts'
import { story } from '../e2e/rig.ts'
import { createLocalStep } from '../plugins/vc/command-runner.ts'
import { createRealRepository, missing } from '../plugins/vc/real-repositories.ts'
import { createRepository } from '../plugins/vc/repository.ts'
import { commandLines, guard, recordCalls, startServer } from './rig/guarded-server.ts'
import { boltbot } from './rig/run-program.ts'

/** Of this run alone: other processes of the machine are looked at, too. */
const WORD = `s${process.pid}sesame`
const PASSWORD = `open "${WORD}" $HOME`
const shown = new RegExp(`${WORD}|wrong-password`)
const username = 'jane'

interface World {
  readonly folder: string
  readonly url: string
  commit(message: string, files: Readonly<Record<string, string>>): Promise<unknown>
}

interface How {
  readonly mode: 'update' | 'clobber'
  readonly env: Readonly<Record<string, string>>
}

interface Kind {
  readonly kind: string
  readonly program: string
  /** What must be installed. */
  readonly needs: string
  /** A server that lets nobody in but jane. */
  serve(context: TestContext, look?: () => void): Promise<World>
  poller(url: string, password: string, bin: string): PluginInstance
  step(url: string, password: string, how: How): Step
  /** The step with the password in its address. */
  inAddress?(url: string, how: Pick<How, 'env'>): Step
}

const KINDS: readonly Kind[] = [
  {
    kind: 'svn',
    program: 'svn',
    needs: 'svnserve',
    async serve(context) {
      const repository = await createRealRepository('svn')
      context.after(() => repository[Symbol.asyncDispose]())
      const conf = join(repository.folder, 'repo/conf')
      const access = 'anon-access = none\nauth-access = write\npassword-db = passwd\n'
      writeFileSync(join(conf, 'svnserve.conf'), `[general]\n${access}`)
      writeFileSync(join(conf, 'passwd'), `[users]\n${username} = ${PASSWORD}\n`)
      const args = ['--daemon', '--foreground', '--listen-host', '127.0.0.1', '--root', repository.folder]
      const server = await startServer((port) => ['svnserve', ...args, '--listen-port', `${port}`], repository.folder)
      context.after(() => server[Symbol.asyncDispose]())
      return { ...repository, url: `svn://127.0.0.1:${server.port}/repo/trunk` }
    },
    poller: (svnurl, password, svnbin) => svnPoller({ svnurl, svnuser: username, svnpasswd: secret(password), svnbin }),
    step: (svnurl, password, how) => svn({ svnurl, username, password: secret(password), ...how }),
  },
  {
    kind: 'hg',
    program: 'hg',
    needs: 'hg',
    async serve(context, look) {
      const repository = await createRealRepository('hg')
      context.after(() => repository[Symbol.asyncDispose]())
      const args = ['serve', '--address', '127.0.0.1', '--cwd', repository.url]
      const server = await startServer((port) => ['hg', ...args, '--port', `${port}`], repository.folder)
      context.after(() => server[Symbol.asyncDispose]())
      const door = await guard(username, PASSWORD, server.port, look)
      context.after(() => door[Symbol.asyncDispose]())
      return { ...repository, url: `http://127.0.0.1:${door.port}/` }
    },
    poller: (repourl, password, hgbin) => hgPoller({ repourl, username, password: secret(password), hgbin }),
    step: (repourl, password, { mode, env }) => hg({ repourl, username, password: secret(password), mode, env }),
    inAddress: (repourl, how) => hg({ repourl, ...how }),
  },
  {
    kind: 'bzr',
    program: 'brz',
    needs: 'brz',
    async serve(context, look) {
      const repository = await createRealRepository('bzr')
      context.after(() => repository[Symbol.asyncDispose]())
      const door = await guard(username, PASSWORD, repository.folder, look)
      context.after(() => door[Symbol.asyncDispose]())
      return { ...repository, url: `http://127.0.0.1:${door.port}/repo` }
    },
    poller: (repourl, password, bzrbin) => bzrPoller({ repourl, username, password: secret(password), bzrbin }),
    step: (repourl, password, { mode, env }) => bzr({ repourl, username, password: secret(password), mode, env }),
    inAddress: (repourl, how) => bzr({ repourl, ...how }),
  },
  {
    kind: 'git',
    program: 'git',
    needs: 'git',
    async serve(context, look) {
      const repository = await createRepository()
      context.after(() => repository[Symbol.asyncDispose]())
      const door = await guard(username, PASSWORD, repository.path, look)
      context.after(() => door[Symbol.asyncDispose]())
      const commit: World['commit'] = async (...what) => {
        await repository.commit(...what)
        await repository.git('update-server-info') // as a server without git needs it
      }
      return { folder: repository.folder, url: `http://127.0.0.1:${door.port}/.git`, commit }
    },
    poller: (repourl, password, gitbin) =>
      gitPoller({ repourl, branches: true, credentials: { username, password: secret(password) }, gitbin }),
    step: (repourl, password, { mode, env }) =>
      git({ repourl, credentials: { username, password: secret(password) }, mode, env }),
    inAddress: (repourl, how) => git({ repourl, ...how }),
  },
]

for (const { kind, program, needs, serve, poller, step, inAddress } of KINDS) {
  describe(`a password of ${kind}`, { skip: await missing(needs) }, () => {
    it('lets the poller in and stands on no command line', async (context) => {
      const { folder, url, commit } = await serve(context)
      await commit('one', { 'a.c': 'one\n' })
      const { bin, calls } = recordCalls(program, folder)
      const secrets = { right: PASSWORD, wrong: 'wrong-password' }
      const directory = join(folder, 'poller')
      mkdirSync(directory)
      await using host = createTestHost({ directory, secrets })
      await host.run(poller(url, 'right', join(bin, program)))
      await host.poll()
      await commit('two', { 'a.c': 'two\n' })
      await host.poll()
      assert.deepEqual(
        host.records.changes.map(({ comments }) => comments),
        ['two'],
      )
      await using other = createTestHost({ directory: join(folder, 'other'), secrets })
      mkdirSync(join(folder, 'other'))
      await other.run(poller(url, 'wrong', join(bin, program)))
      await assert.rejects(other.poll(), (error: Error) => {
        assert.match(error.message, /[Aa]uth|[Pp]assword|[Pp]ermission/)
        assert.doesNotMatch(error.message, shown)
        return true
      })
      assert.match(calls(), /\S/)
      assert.doesNotMatch(calls(), shown)
    })

    it('lets the step in and stands on no command line and in no log', async (context) => {
      const { folder, url, commit } = await serve(context)
      await commit('one', { 'a.c': 'one\n' })
      const { bin, calls } = recordCalls(program, folder)
      const run = runnerIn(folder)
      const env = { PATH: `${bin}${delimiter}${process.env.PATH}` }
      for (const mode of ['update', 'update', 'clobber'] as const) {
        const { result, log } = await run(step(url, 'right', { mode, env }))
        assert.equal(result, 'success', log)
        assert.doesNotMatch(log, shown)
      }
      assert.equal(readFileSync(join(folder, 'slave', 'build', 'a.c'), 'utf8'), 'one\n')
      const { result, log } = await run(step(url, 'wrong', { mode: 'clobber', env }))
      assert.equal(result, 'failure', log)
      assert.doesNotMatch(`${log} ${calls()}`, shown)
    })

    if (inAddress === undefined) return
    it('is in no log when it stands in the address', async (context) => {
      const { folder, url, commit } = await serve(context)
      await commit('one', { 'a.c': 'one\n' })
      const run = runnerIn(folder)
      for (const password of [PASSWORD, PASSWORD, 'wrong-password']) {
        const address = url.replace('//', `//${username}:${encodeURIComponent(password)}@`)
        const { result, log } = await run(inAddress(address, { env: { HOME: folder } }))
        assert.equal(result, password === PASSWORD ? 'success' : 'failure', log)
        assert.doesNotMatch(log, shown)
      }
    })
  })
}

it('the doctor looks at a git repository with the password of its poller', {
  skip: await missing('git'),
}, async (context) => {
  const { url, commit } = await KINDS.find(({ kind }) => kind === 'git')!.serve(context)
  await commit('one', { 'a.c': 'one\n' })
  const log = createMemoryLog()
  const doctor: Doctor = {
    secrets: { resolve: (value) => (typeof value === 'string' ? value : PASSWORD) },
    clock: createFakeClock(),
    log,
    isRunning: false,
    signal: new AbortController().signal,
    port: () => Promise.reject(new Error('not asked')),
    certificate: () => assert.fail('not asked'),
  }
  const examine = async (options: Partial<GitPollerOptions>) => {
    const { definition, options: given } = gitPoller({ repourl: url, branches: true, ...options })
    const checked = await definition.schema!['~standard'].validate(given)
    assert.ok(!checked.issues)
    return definition.doctor!(doctor, checked.value as never) // the plugin's own options
  }
  const [found] = await examine({ credentials: { username, password: secret('right') } })
  assert.match(found?.text ?? '', /^It can be read with git version .*; 1 branches\.$/)
  await assert.rejects(examine({ credentials: { username, password: 'wrong-password' } }), { code: 'BOLT_VC_FAILED' })
})

const needed = ['ps', ...KINDS.map(({ needs }) => needs)]
const absent = (await Promise.all(needed.map(missing))).find((one) => one !== false)
const NAME = 'master and slave show nobody the passwords of repositories'

if (absent !== undefined) it(NAME, { skip: absent })
else
  story(NAME, async (world, context) => {
    const seen: string[] = []
    const look = () => void seen.push(commandLines())
    const [svnWorld, hgWorld, bzrWorld, gitWorld] = await Promise.all(KINDS.map((one) => one.serve(context, look)))
    for (const one of [svnWorld, hgWorld, bzrWorld, gitWorld]) await one!.commit('one', { 'a.c': 'one\n' })
    const port = await reservePort()
    const login = `username: 'jane', password: secret('repository')`
    const inAddress = gitWorld!.url.replace('//', `//jane:${encodeURIComponent(PASSWORD)}@`)
    const steps = [
      `svn({ svnurl: '${svnWorld!.url}', ${login}, workdir: 'svn' })`,
      `hg({ repourl: '${hgWorld!.url}', ${login}, workdir: 'hg' })`,
      `bzr({ repourl: '${bzrWorld!.url}', ${login}, workdir: 'bzr' })`,
      `git({ repourl: '${gitWorld!.url}', credentials: { ${login} }, workdir: 'git' })`,
      `git({ name: 'address', repourl: '${inAddress}', workdir: 'address' })`,
    ]
    const imports = `import { secret } from 'boltbot'
import { bzr } from 'boltbot/plugins/vc/bzr'
import { hg } from 'boltbot/plugins/vc/hg'
import { svn } from 'boltbot/plugins/vc/svn'`
    const config = configText({ slavePort: port, steps: steps.join(', '), imports })
    const prepare = (basedir: string) => writeFile(join(basedir, 'secrets/repository'), PASSWORD, { mode: 0o600 })
    const master = await world.master(config, { prepare })
    const slave = await world.slave('bot-1', port)
    await master.event('slaveConnected')
    for (const number of [0, 1]) {
      await master.call('force', { builder: 'full', who: 'joe', reason: 'look' })
      const { result } = await master.finished(number)
      const logs = await Promise.all(
        ['svn', 'hg', 'bzr', 'git', 'address'].map((name) =>
          boltbot(['log', `full/${number}`, name, '--headers', '--basedir', master.basedir]),
        ),
      )
      const text = logs.map(({ stdout, stderr }) => stdout + stderr).join('')
      assert.equal(result, 'success', text)
      assert.match(text, /\$ svn .*--password-from-stdin/)
      assert.match(text, /BOLTBOT_GIT_PASSWORD='?\*\*\*/)
      assert.doesNotMatch(text, shown)
    }
    assert.ok(seen.length > 10)
    assert.match(seen.join(), /git/)
    assert.doesNotMatch(seen.join(), shown)
    assert.doesNotMatch(`${master.output()}${slave.output()}`, shown)
  })

/** Runs steps; the log is as the master stores it, with the headers of the slave. */
function runnerIn(folder: string) {
  const directory = join(folder, 'slave')
  mkdirSync(directory)
  return async (step: Step) => {
    const secrets = { right: PASSWORD, wrong: 'wrong-password' }
    const local = createLocalStep({ directory, clock: createFakeClock({ start: Date.now() }), secrets })
    const { result } = await local.run(step)
    const redactor = createRedactor()
    const headers = local.asked.flatMap((command) => {
      if (command.kind !== 'shell') return []
      for (const one of command.secrets ?? []) redactor.add(one)
      return [shellHeader({ ...command, secrets: [...(command.secrets ?? [])] } as never, directory)]
    })
    return { result, log: redactor.text(`${headers.join('')}${local.logs.get('stdio') ?? ''}`) }
  }
}
