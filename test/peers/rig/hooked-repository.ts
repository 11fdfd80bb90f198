import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { PluginInstance } from 'boltbot/plugin-sdk'
import { bzrPoller } from 'boltbot/plugins/vc/bzr'
import { cvsPoller } from 'boltbot/plugins/vc/cvs'
import { darcsPoller } from 'boltbot/plugins/vc/darcs'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { hgPoller } from 'boltbot/plugins/vc/hg'
import { svnPoller, trunkAndBranches } from 'boltbot/plugins/vc/svn'
import { commitMany } from '../../plugins/vc/many-commits.ts'
import { createRealRepository, type RealRepository } from '../../plugins/vc/real-repositories.ts'
import { run } from './run-program.ts'

const exec = promisify(execFile)

/** A real repository whose hooks are ours. */
export interface HookedRepository extends AsyncDisposable {
  readonly folder: string
  /** The repository the hook is of. */
  readonly path: string
  /** What waits, settings, log. */
  readonly queue: string
  /** Runs a program in the working copy. */
  run(program: string, ...args: readonly string[]): Promise<string>
  commit(message: string, files?: Readonly<Record<string, string | null>>): Promise<unknown>
  /** `many 1` and so on, which the repository gets at once; of svn the hook is told of the last. */
  commitMany(count: number): Promise<unknown>
  /** The poller of what the hook watches. */
  poller(): PluginInstance<'source'>
  /** The names of what waits. */
  waiting(): readonly string[]
  log(): string
}

const ENTRY = join(import.meta.dirname, '../../../core/cli/boltbot.js')

export type HookedKind = 'git' | 'svn' | 'hg' | 'bzr' | 'darcs' | 'cvs'

/** @param options of `boltbot hook KIND --install`. */
export async function createHookedRepository(kind: HookedKind, options: readonly string[]): Promise<HookedRepository> {
  const real = kind === 'git' ? await createGitRepository() : await createRealRepository(kind)
  await real.commit('before', { 'first.c': 'x\n' })
  const { path, home, poller } = PLACES[kind](real.folder)
  const args = ['hook', kind, '--install', path, '--repository', real.url, ...options]
  const installed = await run(process.execPath, [ENTRY, ...args], { cwd: real.folder, env: { HOME: real.folder } })
  if (installed.code !== 0) throw new Error(installed.stderr)
  const queue = join(home, 'boltbot')
  if (kind === 'cvs') await addLogInfo(real, installed.stdout)
  return {
    folder: real.folder,
    path,
    queue,
    run: real.run,
    commit: (message, files) => real.commit(message, files),
    commitMany: (count) => commitMany(kind, real, count),
    poller: () => poller(real),
    waiting: () => readdirSync(join(queue, 'queue')).filter((name) => name !== 'lock'),
    log: () => (existsSync(join(queue, 'hook.log')) ? readFileSync(join(queue, 'hook.log'), 'utf8') : ''),
    [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
  }
}

interface HookPlace {
  readonly path: string
  readonly home: string
  poller(real: RealRepository): PluginInstance<'source'>
}

const PLACES: Readonly<Record<HookedKind, (folder: string) => HookPlace>> = {
  git: (folder) => ({
    path: join(folder, 'repo'),
    home: join(folder, 'repo'),
    poller: ({ url }) => gitPoller({ repourl: url, branches: true }),
  }),
  svn: (folder) => ({
    path: join(folder, 'repo'),
    home: join(folder, 'repo'),
    poller: ({ url }) => svnPoller({ svnurl: url, splitFile: trunkAndBranches }),
  }),
  hg: (folder) => ({
    path: join(folder, 'repo'),
    home: join(folder, 'repo', '.hg'),
    poller: ({ url }) => hgPoller({ repourl: url, branches: true }),
  }),
  bzr: (folder) => ({
    path: join(folder, 'repo'),
    home: join(folder, 'repo', '.bzr'),
    poller: ({ url }) => bzrPoller({ repourl: url }),
  }),
  darcs: (folder) => ({
    path: join(folder, 'work'),
    home: join(folder, 'work', '_darcs'),
    poller: ({ url }) => darcsPoller({ repourl: url }),
  }),
  cvs: (folder) => ({
    path: join(folder, 'repo'),
    home: join(folder, 'repo', 'CVSROOT'),
    poller: ({ url }) => cvsPoller({ cvsroot: url, cvsmodule: 'hello', branches: true }),
  }),
}

async function addLogInfo(real: RealRepository, said: string): Promise<void> {
  const line = said.split('\n').find((text) => text.endsWith('%I %p %{sVv}'))
  const script = `set -e; cd "$HOME"; cvs -Q -d '${real.url}' checkout -d admin CVSROOT; cd admin; echo '${line}' >> loginfo; cvs -Q commit -m hook`
  await exec('chown', ['-R', 'nobody', join(real.folder, 'repo')]).catch(() => {})
  await real.run('sh', '-c', script)
}

/** A bare repository and a clone of it, with the face of the others. */
async function createGitRepository(): Promise<RealRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'boltbot-git-'))
  const work = join(folder, 'work')
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Jane Doe',
    GIT_AUTHOR_EMAIL: 'jane@example.org',
    GIT_COMMITTER_NAME: 'Jane Doe',
    GIT_COMMITTER_EMAIL: 'jane@example.org',
  }
  const runIn = async (program: string, ...args: readonly string[]) =>
    (await exec(program, [...args], { cwd: work, env, maxBuffer: 1 << 26 })).stdout.trim()
  await mkdir(work)
  await runIn('git', 'init', '-q', '--bare', '-b', 'main', join(folder, 'repo'))
  await runIn('git', 'clone', '-q', join(folder, 'repo'), '.')
  let count = 0
  return {
    folder,
    url: join(folder, 'repo'),
    run: runIn,
    async commit(message, files = { 'a file.c': `${message} ${++count}` }) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(work, path)), { recursive: true })
        if (text === null) await rm(join(work, path))
        else await writeFile(join(work, path), text)
      }
      await runIn('git', 'add', '--all')
      await runIn('git', 'commit', '-q', '--allow-empty', '-m', message)
      await runIn('git', 'push', '-q', 'origin', 'HEAD')
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
