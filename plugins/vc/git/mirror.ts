import { rm, stat } from 'node:fs/promises'
import { type CiError, hasCode } from 'boltbot/plugin-sdk'
import type { Git } from './git-process.ts'
import { parseHeads, refOf } from './heads.ts'

/** A bare copy of the polled branches, to ask what is new in them. May be deleted at any time: it is made again. */
export interface Mirror {
  /** Brings in branches, or `all` when it has to begin anew; gives the heads of what it has as they are now. */
  fetch(branches: readonly string[], all: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>>
  /** Which of these commits it has. */
  known(revisions: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>
  /** Commits reachable from `head` and from none of `known`, parents before children. */
  commits(head: string, known: readonly string[], signal: AbortSignal): Promise<readonly string[]>
  /** Runs git in it. */
  readonly git: (args: readonly string[], signal: AbortSignal, stdin?: string) => Promise<Buffer>
}

export interface MirrorDeps {
  readonly git: Git
  readonly path: string
  readonly repourl: string
}

/** Of an annotated tag the commit it names. */
const COMMIT = '%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)'
const PREFIX = 'refs/boltbot/'
/** A server that stops sending does not hold the poll up. */
const FETCH_CONFIG = ['-c', 'http.lowSpeedLimit=1', '-c', 'http.lowSpeedTime=60', '-c', 'gc.autoDetach=false']

export function createMirror({ git, path, repourl }: MirrorDeps): Mirror {
  const run: Mirror['git'] = (args, signal, stdin = '') => git(args, { gitDir: path, signal, stdin })

  /** True when it had to be made. */
  async function ensure(signal: AbortSignal): Promise<boolean> {
    const there = await stat(path).then(
      () => true,
      () => false,
    )
    if (there) {
      const intact = await run(['rev-parse', '--is-bare-repository'], signal).catch(failedOnly)
      if (intact?.toString().trim() === 'true') return false
      await remove()
    }
    await git(['init', '--quiet', '--bare', '--template=', '--', path], { signal })
    return true
  }

  function remove(): Promise<void> {
    return rm(path, { recursive: true, force: true, maxRetries: 3 })
  }

  async function fetchOnce(moved: readonly string[], all: readonly string[], signal: AbortSignal): Promise<void> {
    const branches = (await ensure(signal)) ? all : moved
    const refspecs = branches.map((name) => `+${refOf(name)}:${PREFIX}${refOf(name)}\n`).join('')
    const args = [
      'fetch',
      '--quiet',
      '--no-tags',
      '--force',
      '--update-shallow',
      '--no-write-fetch-head',
      '--stdin',
      '--',
      repourl,
    ]
    await run([...FETCH_CONFIG, ...args], signal, refspecs)
  }

  return {
    git: run,
    async fetch(branches, all, signal) {
      try {
        await fetchOnce(branches, all, signal)
      } catch (error) {
        if (!isDamage(error)) throw error
        await remove()
        await fetchOnce(branches, all, signal)
      }
      const refs = await run(['for-each-ref', `--format=${COMMIT}%09%(refname)`, PREFIX], signal)
      return parseHeads(refs.toString(), PREFIX)
    },
    async known(revisions, signal) {
      const asked = revisions.map((revision) => `${revision}\n`).join('')
      const said = await run(['cat-file', '--batch-check=%(objectname) %(objecttype)'], signal, asked)
      return new Set([...said.toString().matchAll(/^(\S+) commit$/gm)].map((match) => match[1]!))
    },
    async commits(head, known, signal) {
      const lines = [head, ...known.map((revision) => `^${revision}`), ''].join('\n')
      const revisions = await run(['rev-list', '--date-order', '--reverse', '--stdin'], signal, lines)
      return revisions.toString().split('\n').filter(Boolean)
    },
  }
}

/** That git said no is an answer; that it could not be asked is not. */
function failedOnly(error: unknown): undefined {
  if (hasCode(error, 'BOLT_VC_FAILED')) return
  throw error
}

/** The mirror itself is at fault: a killed git left a lock file or half an object, or a branch became a folder of branches. */
function isDamage(error: unknown): error is CiError {
  if (!hasCode(error, 'BOLT_VC_FAILED')) return false
  return /\.lock'|cannot lock ref|corrupt|bad object|loose object|not a git repository/i.test(
    String(error.details.stderr),
  )
}
