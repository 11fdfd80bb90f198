/** One revision of one file, as `cvs rlog` prints it. */
export interface FileRevision {
  /** Below the root of the repository. */
  readonly file: string
  readonly revision: string
  /** `null`: the trunk. */
  readonly branch: string | null
  /** ms. */
  readonly when: number
  readonly author: string
  /** Shared by the files of one commit; `null` before CVS 1.12. */
  readonly commitid: string | null
  readonly message: string
}

/** Lines between files and between revisions. A message may hold them too, but not with what follows them. */
const FILE_END = /^={77}\n(?=\nRCS file: |\n*$)/m
const REVISION = /^-{28}\n(?=revision \d)/m

/** @param root the path of the repository on its server. */
export function parseRlog(text: string, root: string): readonly FileRevision[] {
  return text.split(FILE_END).flatMap((block) => {
    const [head = '', ...entries] = block.split(REVISION)
    const path = /^RCS file: (.*),v$/m.exec(head)?.[1]
    if (path === undefined) return []
    const file = withoutRoot(path, root).replace(/(^|\/)Attic\/([^/]*)$/, '$1$2')
    const branches = branchesOf(head)
    return entries.flatMap((entry) => {
      const revision = parseRevision(entry)
      if (revision === undefined) return []
      const number = revision.revision.slice(0, revision.revision.lastIndexOf('.'))
      return [{ ...revision, file, branch: number.includes('.') ? (branches.get(number) ?? number) : null }]
    })
  })
}

function withoutRoot(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}

/** From the number of a branch to its name: `branch1: 1.2.0.4` is branch 1.2.4; that of a vendor has an odd number of parts. */
function branchesOf(head: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', number = ''] of head.matchAll(/^\t([^:\s]+): ([\d.]+)$/gm)) {
    const parts = number.split('.')
    if (parts.at(-2) === '0') found.set([...parts.slice(0, -2), parts.at(-1)].join('.'), name)
    else if (parts.length % 2 === 1) found.set(number, name)
  }
  return found
}

function parseRevision(entry: string): Omit<FileRevision, 'file' | 'branch'> | undefined {
  const [first = '', second = '', ...rest] = entry.split('\n')
  const revision = /^revision ([\d.]+)/.exec(first)?.[1]
  const date = /^date: ([^;]+);/.exec(second)?.[1]
  if (revision === undefined || date === undefined) return
  const message = rest[0]?.startsWith('branches: ') ? rest.slice(1) : rest
  return {
    revision,
    when: timeOf(date),
    author: /; {2}author: ([^;]*);/.exec(second)?.[1] ?? 'unknown',
    commitid: /; {2}commitid: ([^;]+);/.exec(second)?.[1] ?? null,
    message: message.join('\n').trimEnd(),
  }
}

/** `2026-11-21 14:27:11 +0000`, or `2026/11/21 14:27:11` in UTC of an old server. */
function timeOf(date: string): number {
  const [, day = '', time = '', zone] = /^(\S+) (\S+)(?: ([+-]\d{4}))?$/.exec(date.trim()) ?? []
  const offset = zone === undefined ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(3)}`
  return Date.parse(`${day.replaceAll('/', '-')}T${time}${offset}`) || 0
}
