import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gitMissing, gitRefused } from './errors.ts'

const run = promisify(execFile)

/** The project that the demo builds: a bare repository, and the clone in which people commit. */
export interface Project {
  /** The repository that everybody pushes to. */
  readonly url: string
  /** Commits and pushes; gives the revision. */
  push(commit: Commit): Promise<string>
}

export interface Commit {
  readonly name: string
  readonly mail: string
  readonly comments: string
  readonly files: Readonly<Record<string, string>>
}

const JOE = { name: 'Joe Steady', mail: 'joe@example.org' }
const JANE = { name: 'Jane Hasty', mail: 'jane@example.org' }

export const GOOD_COMMIT: Commit = {
  ...JOE,
  comments: 'Say hello louder',
  files: { 'hello.js': helloText("'Hello, ' + name + '!'") },
}

export const BAD_COMMIT: Commit = {
  ...JANE,
  comments: 'Save a letter',
  files: { 'hello.js': helloText("'Helo, ' + name + '!'") },
}

/** Nothing but Node is needed to build it. */
const FIRST_COMMIT: Commit = {
  ...JOE,
  comments: 'Begin',
  files: {
    'package.json': '{ "name": "hello", "private": true, "type": "module" }\n',
    'hello.js': helloText("'Hello, ' + name"),
    'build.js': `import { copyFileSync, mkdirSync } from 'node:fs'

console.log('hello.js -> out/hello.js')
mkdirSync('out', { recursive: true })
copyFileSync('hello.js', 'out/hello.js')
`,
    'test.js': `import { hello } from './out/hello.js'

const said = hello('world')
const ok = said.startsWith('Hello, world')
console.log((ok ? 'ok' : 'not ok') + ' 1 - it greets')
if (!ok) console.error('  expected: Hello, world\\n  but said: ' + said)
process.exitCode = ok ? 0 : 1
`,
  },
}

/** @throws CiError `BOLT_DEMO_GIT`, `BOLT_DEMO_GIT_FAILED`. */
export async function makeProject(folder: string): Promise<Project> {
  const url = join(folder, 'hello.git')
  const clone = join(folder, 'hello')
  await git(folder, ['init', '--quiet', '--bare', url])
  await git(url, ['symbolic-ref', 'HEAD', 'refs/heads/main'])
  await git(folder, ['init', '--quiet', clone])
  await git(clone, ['symbolic-ref', 'HEAD', 'refs/heads/main'])
  await git(clone, ['remote', 'add', 'origin', url])
  const project: Project = {
    url,
    async push({ name, mail, comments, files }) {
      await mkdir(clone, { recursive: true })
      for (const [path, text] of Object.entries(files)) await writeFile(join(clone, path), text)
      await git(clone, ['add', '--all'])
      await git(clone, ['-c', `user.name=${name}`, '-c', `user.email=${mail}`, 'commit', '--quiet', '-m', comments])
      await git(clone, ['push', '--quiet', 'origin', 'main'])
      return git(clone, ['rev-parse', 'HEAD'])
    },
  }
  await project.push(FIRST_COMMIT)
  return project
}

/** @throws CiError `BOLT_DEMO_GIT`. */
export async function needGit(): Promise<void> {
  await git('.', ['--version'])
}

/** Without the user's own settings: hooks, signatures and templates are not for a demo. */
async function git(cwd: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
  try {
    return (await run('git', [...args], { cwd, env })).stdout.trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw gitMissing()
    throw gitRefused(args, error)
  }
}

function helloText(expression: string): string {
  return `export const hello = (name) => ${expression}\n`
}
