import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot'
import type { Step } from 'boltbot/plugin-sdk'
import { createFakeClock } from 'boltbot/plugin-sdk/testing'
import { tryUserpass } from 'boltbot/plugins/schedulers'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { shellCommand } from 'boltbot/plugins/steps'
import { bzr } from 'boltbot/plugins/vc/bzr'
import { cvs } from 'boltbot/plugins/vc/cvs'
import { darcs } from 'boltbot/plugins/vc/darcs'
import { hg } from 'boltbot/plugins/vc/hg'
import { svn } from 'boltbot/plugins/vc/svn'
import { createLocalStep } from '../plugins/vc/command-runner.ts'
import { createRealRepository, missing, type RealRepository } from '../plugins/vc/real-repositories.ts'
import { startLiveMaster } from './rig/live-master.ts'
import { boltbot } from './rig/run-program.ts'
import { absent, startWorker } from './rig/worker.ts'

/** What a person does to a tree, by the words of its system. */
interface Kind {
  readonly kind: 'svn' | 'hg' | 'bzr' | 'darcs' | 'cvs'
  readonly program: string
  readonly metadata: string
  readonly step: (url: string) => Step
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly move?: readonly string[]
  /** Whether its patches carry files that are no text. */
  readonly binary?: true
}

const KINDS: readonly Kind[] = [
  {
    kind: 'svn',
    program: 'svn',
    metadata: '.svn',
    step: (url) => svn({ baseURL: url }),
    add: ['svn', '-q', 'add', '--parents'],
    remove: ['svn', '-q', 'remove'],
    move: ['svn', '-q', 'move'],
  },
  {
    kind: 'hg',
    program: 'hg',
    metadata: '.hg',
    step: (repourl) => hg({ repourl }),
    add: ['hg', '-q', 'add'],
    remove: ['hg', '-q', 'remove'],
    move: ['hg', '-q', 'move'],
    binary: true,
  },
  {
    kind: 'bzr',
    program: 'brz',
    metadata: '.bzr',
    step: (repourl) => bzr({ repourl }),
    add: ['brz', 'add', '-q'],
    remove: ['brz', 'remove', '-q'],
    move: ['brz', 'move', '-q'],
  },
  {
    kind: 'darcs',
    program: 'darcs',
    metadata: '_darcs',
    step: (repourl) => darcs({ repourl }),
    add: ['darcs', 'add', '-q', '-r'],
    remove: ['rm'],
    move: ['darcs', 'move', '-q'],
  },
  {
    kind: 'cvs',
    program: 'cvs',
    metadata: 'CVS',
    step: (cvsroot) => cvs({ cvsroot, cvsmodule: 'hello' }),
    add: ['cvs', '-Q', 'add'],
    remove: ['cvs', '-Q', 'remove', '-f'],
  },
]

for (const one of KINDS) {
  const skip = await missing(one.program)

  test(`try in a tree of ${one.kind}: what is sent makes the same tree on a slave`, { skip }, async () => {
    await using repository = await createRealRepository(one.kind)
    const work = await tree(repository)
    await change(repository, one)
    const { job, patch } = await dryRun(repository, work)
    const built = await build(repository, one, job, patch)
    assert.equal(built.result, 'success', `${JSON.stringify(job)}\n${patch}\n${built.log}`)
    assert.deepEqual(filesIn(built.directory, one.metadata), filesIn(work, one.metadata), `${patch}`)
  })

  test(`try in a tree of ${one.kind} from a folder inside, and with nothing changed`, { skip }, async () => {
    await using repository = await createRealRepository(one.kind)
    const work = await tree(repository)
    const { job, patch } = await dryRun(repository, join(work, 'src'))
    assert.equal(patch.length, 0, `${patch}`)
    const built = await build(repository, one, job, patch)
    assert.equal(built.result, 'success', built.log)
    assert.deepEqual(filesIn(built.directory, one.metadata), filesIn(work, one.metadata))
  })

  test(`try in a tree of ${one.kind} with a file that is no text sends it or says that it cannot`, {
    skip,
  }, async () => {
    await using repository = await createRealRepository(one.kind)
    const work = await tree(repository)
    writeFileSync(join(work, 'picture'), Buffer.from([0, 1, 2, 255, 254, 10, 0]))
    await repository.run(one.add[0]!, ...one.add.slice(1), 'picture')
    if (one.binary) {
      const { job, patch } = await dryRun(repository, work)
      const built = await build(repository, one, job, patch)
      assert.equal(built.result, 'success', built.log)
      assert.deepEqual(filesIn(built.directory, one.metadata), filesIn(work, one.metadata))
    } else {
      const tried = await boltbot(['try', '--dryrun'], { cwd: work, env: environment(repository) })
      assert.equal(tried.code, 1, tried.stdout)
      assert.match(tried.stderr, /^boltbot: The patch cannot carry "picture": it is no text/)
    }
  })
}

test('a master builds what is tried in trees of all kinds', {
  skip:
    absent('buildbot-worker') ||
    (await Promise.all(KINDS.map(({ program }) => missing(program)))).find(Boolean) ||
    false,
  timeout: 170_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const repositories = new Map<string, RealRepository>()
  for (const { kind } of KINDS) repositories.set(kind, stack.use(await createRealRepository(kind)))
  const bot = slave({ name: 'bot', password: 'pass1' })
  let port = 0
  const live = stack.use(
    await startLiveMaster({
      transports: [stockWorkers({ port: 0, onListening: (bound) => void (port = bound) })],
      slaves: [bot],
      builders: KINDS.map(({ kind, step }) => {
        const steps = [step(repositories.get(kind)!.url), shellCommand({ command: ['cat', 'src/a.c', 'src/neu ü.c'] })]
        return builder({ name: kind, slaves: [bot], factory: buildFactory(steps) })
      }),
      schedulers: [
        tryUserpass({ name: 'try', builders: KINDS.map(({ kind }) => kind), port: 0, userpass: [['alice', 'wonder']] }),
      ],
    }),
  )
  stack.use(startWorker(port))
  await live.event('slaveConnected')
  for (const one of KINDS) {
    const repository = repositories.get(one.kind)!
    const work = await tree(repository)
    await change(repository, one)
    const login = ['--username=alice', '--passwd=wonder', `--master=127.0.0.1:${port}`]
    const args = ['try', '--connect=pb', ...login, '-b', one.kind, '--wait']
    const tried = await boltbot(args, { cwd: work, env: environment(repository), deadline: 60_000 })
    const build = (await live.master.query.buildByNumber(one.kind, 0))!
    assert.equal(tried.code, 0, `${one.kind}: ${tried.stdout}${tried.stderr}${await live.text(build.id, 0, 'all')}`)
    assert.equal(await live.text(build.id, 1), 'one\nzwei\ndrei ß\nneu\n', one.kind)
  }
})

/** Two commits; of CVS in different seconds. */
async function tree(repository: RealRepository): Promise<string> {
  await repository.commit('one', {
    'src/a.c': 'one\ntwo\nthree\n',
    'gone.c': 'gone\n',
    'old name.c': 'a\nb\nc\nd\ne\nf\n',
    'src/grün.c': 'x\n',
  })
  await repository.commit('two', { 'src/a.c': 'one\nzwei\nthree\n' })
  return join(repository.folder, 'work')
}

async function change(repository: RealRepository, { add, remove, move }: Kind): Promise<void> {
  const work = join(repository.folder, 'work')
  const vc = (words: readonly string[], ...paths: readonly string[]) =>
    repository.run(words[0]!, ...words.slice(1), ...paths)
  await repository.run(
    'sh',
    '-c',
    "printf 'one\\nzwei\\ndrei ß\\n' > src/a.c; printf 'neu\\n' > 'src/neu ü.c'; printf 'y\\n' > src/grün.c",
  )
  await vc(add, 'src/neu ü.c')
  await vc(remove, 'gone.c')
  if (move === undefined) return
  await vc(move, 'old name.c', 'src/new name.c')
  await repository.run('sh', '-c', "printf 'a\\nB\\nc\\nd\\ne\\nf\\n' > 'src/new name.c'")
  assert.ok(existsSync(join(work, 'src/new name.c')))
}

const environment = ({ folder }: RealRepository) => ({ HOME: folder, BRZ_EMAIL: 'j@example.org', TZ: 'UTC' })

interface Job {
  readonly branch: string | null
  readonly revision: string | null
  readonly level: number
}

async function dryRun(repository: RealRepository, folder: string): Promise<{ job: Job; patch: Buffer }> {
  const tried = await boltbot(['try', '--dryrun'], { cwd: folder, env: environment(repository) })
  assert.equal(tried.code, 0, tried.stderr)
  const end = tried.stdout.indexOf('\n}\n') + 3
  return { job: JSON.parse(tried.stdout.slice(0, end)), patch: Buffer.from(tried.stdout.slice(end)) }
}

async function build(repository: RealRepository, { step }: Kind, { branch, revision, level }: Job, patch: Buffer) {
  const directory = join(repository.folder, 'slave')
  mkdirSync(directory, { recursive: true })
  const sourceStamp = {
    branch,
    revision,
    patch: patch.length === 0 ? null : { level, body: patch.toString(), subdir: '' },
  }
  const local = createLocalStep({ directory, sourceStamp, clock: createFakeClock({ start: Date.now() }) })
  const { result } = await local.run(step(repository.url))
  return { result, log: local.logs.get('stdio') ?? '', directory: join(directory, 'build') }
}

/** Names and contents, without the files of the system itself. */
function filesIn(folder: string, metadata: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.split('/').includes(metadata) && statSync(join(folder, name)).isFile(),
  )
  return Object.fromEntries(
    names.toSorted().map((name) => [relative('.', name), readFileSync(join(folder, name), 'latin1')]),
  )
}
