import type { ChangeInput } from 'boltbot/plugin-sdk'
import type { Mirror } from './mirror.ts'

/** What git knows of a commit. */
export type Commit = Required<Pick<ChangeInput, 'who' | 'files' | 'comments' | 'when'>> & { readonly revision: string }

/** Each field ends with NUL, which neither a name nor a message can hold. */
const FIELDS = ['%H', '%P', '%an', '%ae', '%ct', '%B']
const MAX_COMMENTS = 500_000
const MAX_FILES = 100_000

/** Reads commits, in the order given. */
export async function readCommits(
  mirror: Mirror,
  revisions: readonly string[],
  signal: AbortSignal,
): Promise<readonly Commit[]> {
  if (revisions.length === 0) return []
  const format = `--format=tformat:${FIELDS.map((field) => `${field}%x00`).join('')}`
  const config = ['-c', 'i18n.logOutputEncoding=UTF-8', '-c', 'log.showSignature=false']
  const log = [...config, 'log', '--no-walk=unsorted', '--no-patch', '--stdin', format]
  const fields = (await mirror.git(log, signal, lines(revisions))).toString().split('\0')
  const heads = revisions.map((_, i) => fields.slice(i * FIELDS.length, (i + 1) * FIELDS.length))
  const commits = heads.map(([revision = '', parents = '', name = '', mail = '', when = '', comments = '']) => ({
    revision: revision.trim(), // after the first, a line end stands before it
    firstParent: parents.split(' ')[0] ?? '',
    who: whoOf(name, mail),
    when: Number(when) * 1000,
    comments: comments.trimEnd().slice(0, MAX_COMMENTS),
  }))
  const files = await readFiles(mirror, commits, signal)
  return commits.map(({ firstParent, ...commit }) => ({ ...commit, files: files.get(commit.revision) ?? [] }))
}

/** Files against the first parent: what a merge brought to its branch. A rename gives both names. */
async function readFiles(
  mirror: Mirror,
  commits: readonly { readonly revision: string; readonly firstParent: string }[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const args = ['diff-tree', '--stdin', '--always', '--root', '-r', '-z', '--no-renames', '--name-only']
  const asked = commits.map(({ revision, firstParent }) => `${revision} ${firstParent}`.trim())
  const found = new Map<string, string[]>()
  let next = 0
  let current: string[] = []
  for (const item of (await mirror.git(args, signal, lines(asked))).toString().split('\0')) {
    if (item === commits[next]?.revision) {
      next++
      current = []
      found.set(item, current)
    } else if (item !== '' && current.length < MAX_FILES) current.push(item)
  }
  return found
}

function whoOf(name: string, mail: string): string {
  // Angle brackets inside would make another address of it.
  const [shownName, address] = [name, mail].map((text) => text.replace(/[<>\p{Cc}]/gu, ' ').trim())
  if (!address) return shownName || 'unknown'
  return shownName ? `${shownName} <${address}>` : address
}

function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('')
}
