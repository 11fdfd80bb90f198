import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BZR_PLUGIN } from './bzr-plugin.ts'
import { hookInTheWay, hookNoRepository } from './errors.ts'
import { openHookQueue } from './queue.ts'
import { ROOMS } from './rooms.ts'
import type { Place } from './run.ts'
import type { HookSettings } from './settings.ts'

/**
 * Makes `boltbot hook` a hook of a repository and keeps the options in its settings. A hook that is there is never changed.
 * @returns what to tell the person.
 * @throws CiError `BOLT_CLI_HOOK_REPOSITORY`, `BOLT_CLI_HOOK_EXISTS`.
 */
export async function installHook(
  system: string,
  path: string,
  given: HookSettings & Place,
): Promise<readonly string[]> {
  const home = HOMES[system]!(path)
  if (home === undefined) throw hookNoRepository(path, system)
  const { folder = join(home, 'boltbot'), ...settings } = given
  const words = given.folder === undefined ? '' : ` --folder ${quoted(folder)}`
  const lines = INSTALLERS[system]!({ home, path, command: `${program()} hook ${system}${words}` })
  const queue = openHookQueue(folder)
  const room = await ROOMS[system]!()
  const { branches, tags } = settings
  const position = await room.begin?.(path, { branches, tags, signal: AbortSignal.timeout(BEGIN_MS) })
  if (position !== undefined) queue.begin(position)
  const file = join(folder, 'settings.json')
  const text = JSON.stringify(withWholePaths(settings), null, 2)
  if (text !== '{}' || !existsSync(file)) {
    writeFileSync(file, `${text}\n`, { mode: 0o600 })
    // Who commits must read it; others must not, as it may hold a password.
    chmodSync(file, 0o600 | (statSync(folder).mode & 0o020 ? 0o040 : 0))
  }
  return [...lines, `Its settings are "${file}".`]
}

const BEGIN_MS = 60_000

interface Installation {
  /** The folder of the repository that hooks may write to. */
  readonly home: string
  readonly path: string
  /** For a shell, without what the hook is given. */
  readonly command: string
}

const at = (path: string, mark: string) => (existsSync(join(path, mark)) ? path : undefined)

const HOMES: Readonly<Record<string, (path: string) => string | undefined>> = {
  git: (path) => at(path, 'HEAD') ?? (existsSync(join(path, '.git', 'HEAD')) ? join(path, '.git') : undefined),
  svn: (path) => at(path, 'hooks') && at(path, 'format'),
  hg: (path) => at(path, '.hg') && join(path, '.hg'),
  bzr: (path) => at(path, '.bzr') && join(path, '.bzr'),
  darcs: (path) => at(path, '_darcs') && join(path, '_darcs'),
  cvs: (path) => at(path, 'CVSROOT') && join(path, 'CVSROOT'),
  arch: (path) => (existsSync(join(path, '.arch-params')) ? join(path, '.arch-params') : at(path, '=id') && path),
}

const INSTALLERS: Readonly<Record<string, (how: Installation) => readonly string[]>> = {
  git: ({ home, command }) => script(join(home, 'hooks', 'post-receive'), command),
  svn: ({ home, command }) => script(join(home, 'hooks', 'post-commit'), `${command} -- "$@"`),
  arch: ({ home, command }) => script(join(home, 'hook'), `${command} -- "$@"`),
  hg: ({ home, command }) =>
    section(join(home, 'hgrc'), [
      '[hooks]',
      `changegroup.boltbot = ${command} || true`,
      `commit.boltbot = ${command} || true`,
    ]),
  darcs: ({ home, command }) =>
    section(
      join(home, 'prefs', 'defaults'),
      ['apply', 'pull', 'record', 'amend'].flatMap((name) => [
        `${name} posthook ${command} || true`,
        `${name} run-posthook`,
      ]),
    ),
  bzr: () => {
    const file = join(
      process.env.BRZ_HOME ?? join(homedir(), '.config', 'breezy'),
      'plugins',
      'boltbot_hook',
      '__init__.py',
    )
    const known = existsSync(file)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, BZR_PLUGIN(argv()))
    return [
      `The plugin "${file}" is ${known ? 'up to date' : 'made'}: each account that commits on this machine needs it.`,
    ]
  },
  cvs: ({ command }) => [
    'Check out CVSROOT, add one of these lines to loginfo, and commit it. With UseNewInfoFmtStrings=yes in config (CVS 1.12):',
    `ALL ${command} -- %I %p %{sVv}`,
    'Else (CVS 1.11):',
    `ALL ${command} -- %{sVv}`,
  ],
}

/** A hook that is a program. Its environment may be empty, and it ends well whatever happens. */
function script(file: string, command: string): readonly string[] {
  const line = `${command} || true`
  const text = `#!/bin/sh\n# Made by "boltbot hook --install".\nPATH="\${PATH:-/usr/local/bin:/usr/bin:/bin}"; export PATH\n${line}\nexit 0\n`
  if (existsSync(file)) {
    if (!readFileSync(file, 'utf8').includes(command)) throw hookInTheWay(file, line)
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: 0o755 })
  }
  return [`"${file}" calls boltbot.`]
}

/** A hook that is a few lines of a file. */
function section(file: string, lines: readonly string[]): readonly string[] {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (!before.includes(lines.at(1)!))
    appendFileSync(file, `${before === '' || before.endsWith('\n') ? '' : '\n'}${lines.join('\n')}\n`)
  return [`"${file}" calls boltbot.`]
}

/** By whole paths: hooks of a server have little in their PATH. */
const argv = (): readonly string[] => [process.execPath, fileURLToPath(new URL('../boltbot.js', import.meta.url))]
const program = () => argv().map(quoted).join(' ')
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function withWholePaths(settings: HookSettings): HookSettings {
  const { passwdFile, secretFile } = settings
  return {
    ...settings,
    ...(passwdFile !== undefined && { passwdFile: resolve(passwdFile) }),
    ...(secretFile !== undefined && { secretFile: resolve(secretFile) }),
  }
}
