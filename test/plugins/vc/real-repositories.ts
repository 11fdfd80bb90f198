import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** A real repository of one version control system, with what its users do to it. */
export interface RealRepository extends AsyncDisposable {
  readonly folder: string
  /** As its poller and its step take it. */
  readonly url: string
  /** Runs a program in the working copy. */
  run(program: string, ...args: readonly string[]): Promise<string>
  /** Writes files (`null`: deletes) and commits. */
  commit(message: string, files?: Readonly<Record<string, string | null>>): Promise<void>
}

/** Whether a program is installed; what `skip` of a test takes. */
export async function missing(program: string): Promise<false | string> {
  const found = await exec('sh', ['-c', `command -v ${program}`]).catch(() => null)
  return found === null && `${program} is not installed`
}

interface Kind {
  /** Makes repository and working copy `work`; gives the URL. */
  setUp(run: RealRepository['run'], folder: string): Promise<string>
  add(run: RealRepository['run'], path: string): Promise<unknown>
  remove?(run: RealRepository['run'], path: string): Promise<unknown>
  save(run: RealRepository['run'], message: string): Promise<unknown>
}

const KINDS: Readonly<Record<'svn' | 'hg' | 'bzr' | 'darcs' | 'cvs', Kind>> = {
  svn: {
    async setUp(run, folder) {
      const url = `file://${folder}/repo`
      await run('svnadmin', 'create', join(folder, 'repo'))
      await run('svn', '-q', 'mkdir', '-m', 'layout', `${url}/trunk`, `${url}/branches`)
      await run('svn', '-q', 'checkout', `${url}/trunk`, '.')
      return url
    },
    add: (run, path) => run('svn', '-q', 'add', '--parents', '--force', path),
    remove: (run, path) => run('svn', '-q', 'remove', path),
    save: async (run, message) => {
      await run('svn', '-q', 'commit', '-m', message)
      await run('svn', '-q', 'update')
    },
  },
  hg: {
    async setUp(run, folder) {
      await run('hg', 'init', join(folder, 'repo'))
      await run('hg', '-q', 'clone', join(folder, 'repo'), '.')
      return join(folder, 'repo')
    },
    add: (run, path) => run('hg', '-q', 'add', path),
    remove: (run, path) => run('hg', '-q', 'remove', path),
    save: async (run, message) => {
      await run('hg', '-q', 'commit', '-m', message)
      await run('hg', '-q', 'push', '--new-branch')
    },
  },
  bzr: {
    async setUp(run, folder) {
      await run('brz', 'init', '-q', join(folder, 'repo'))
      await run('brz', 'checkout', '-q', '--lightweight', join(folder, 'repo'), '.')
      return join(folder, 'repo')
    },
    add: (run, path) => run('brz', 'add', '-q', path),
    remove: (run, path) => run('brz', 'remove', '-q', path),
    save: (run, message) => run('brz', 'commit', '-q', '--unchanged', '-m', message),
  },
  darcs: {
    async setUp(run, folder) {
      await run('darcs', 'init', '-q')
      return join(folder, 'work')
    },
    add: (run, path) => run('darcs', 'add', '-q', path),
    save: (run, message) => run('darcs', 'record', '-q', '-a', '--ignore-times', '-m', message),
  },
  cvs: {
    async setUp(run, folder) {
      const root = join(folder, 'repo')
      // Its server side refuses commits of root.
      const give = () => exec('chown', ['-R', 'nobody', folder]).catch(() => {})
      await give()
      await run('cvs', '-Q', '-d', root, 'init')
      await mkdir(join(root, 'hello'))
      await give()
      await run('cvs', '-Q', '-d', root, 'checkout', '-d', '.', 'hello')
      return root
    },
    add: (run, path) => run('cvs', '-Q', 'add', path),
    remove: (run, path) => run('cvs', '-Q', 'remove', path),
    save: (run, message) => run('cvs', '-Q', 'commit', '-m', message),
  },
}

export async function createRealRepository(kind: keyof typeof KINDS): Promise<RealRepository> {
  const { setUp, add, remove, save } = KINDS[kind]
  const folder = await mkdtemp(join(tmpdir(), `boltbot-${kind}-`))
  await chmod(folder, 0o755)
  const work = join(folder, 'work')
  await mkdir(work)
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    HGUSER: 'Jane Doe <jane@example.org>',
    BRZ_EMAIL: 'Jane Doe <jane@example.org>',
    DARCS_EMAIL: 'Jane Doe <jane@example.org>',
    HGPLAIN: '1',
    USER: 'jane',
    LOGNAME: 'jane',
  }
  const asNobody = kind === 'cvs' && process.getuid?.() === 0
  const run: RealRepository['run'] = async (program, ...args) => {
    const nobody = ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', program, ...args]
    const [name, words] = asNobody ? ['setpriv', nobody] : [program, [...args]]
    return (await exec(name, words, { cwd: work, env, maxBuffer: 1 << 26 })).stdout.trim()
  }
  const known = new Set<string>()
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), text)
    if (asNobody) await exec('chown', ['-R', 'nobody', work])
  }
  let count = 0
  const url = await setUp(run, folder)
  return {
    folder,
    url,
    run,
    async commit(message, files = { 'a file.c': `${message} ${++count}` }) {
      for (const [path, text] of Object.entries(files)) {
        if (text === null) {
          await rm(join(work, path))
          await remove?.(run, path)
          known.delete(path)
          continue
        }
        await write(path, text)
        for (const part of known.has(path) ? [] : partsOf(path, kind))
          if (!known.has(part)) {
            await add(run, part)
            known.add(part)
          }
      }
      await save(run, message)
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** CVS and darcs want folders one by one. */
function partsOf(path: string, kind: string): readonly string[] {
  if (kind !== 'cvs' && kind !== 'darcs') return [path]
  const parts = path.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}
