import type { Commit } from '../submit-commits.ts'

/** One revision of `brz log --log-format=long -v`: fields at the margin, what belongs to them indented by two. */
const SEPARATOR = /^-{60}$/m

export interface BzrCommit extends Commit {
  /** Of no other revision anywhere; `null` when the log does not show it. */
  readonly id: string | null
}

/** @returns in the order of the log; `branch` is left to the caller. */
export function parseBzrLog(log: string): readonly BzrCommit[] {
  return log
    .split(SEPARATOR)
    .filter((entry) => /^revno: /m.test(entry))
    .map(parseEntry)
}

function parseEntry(entry: string): BzrCommit {
  const fields = new Map<string, string>()
  const sections = new Map<string, string[]>()
  let section: string[] | undefined
  for (const line of entry.split('\n')) {
    if (line.startsWith('  ')) section?.push(line.slice(2))
    else if (line === '') section?.push('')
    else {
      section = undefined
      const [, name = '', value = ''] = /^([a-z -]+):(?: (.*))?$/.exec(line) ?? []
      if (value !== '') fields.set(name, value)
      else if (name !== '') {
        section = []
        sections.set(name, section)
      }
    }
  }
  const who = fields.get('author')?.split(', ')[0] ?? fields.get('committer') ?? 'unknown'
  return {
    id: fields.get('revision-id') ?? null,
    who,
    files: filesOf(sections, fields.has('revision-id')),
    comments: (sections.get('message') ?? []).join('\n').trim(),
    revision: (fields.get('revno') ?? '').split(' ')[0] ?? null, // "3 [merge]"
    when: timeOf(fields.get('timestamp') ?? ''),
  }
}

/** A rename gives both names; `*` behind a name tells a changed mode. Folders are no files. Ids stand behind the names. */
function filesOf(sections: ReadonlyMap<string, readonly string[]>, withIds: boolean): readonly string[] {
  const named = (name: string) =>
    (sections.get(name) ?? [])
      .filter((line) => line !== '')
      .map((line) => (withIds ? line.replace(/\s+\S+$/, '') : line))
  const plain = ['added', 'removed', 'modified', 'kind changed', 'missing'].flatMap(named)
  const renamed = ['renamed', 'copied'].flatMap(named).flatMap((line) => line.split(' => '))
  return [...plain, ...renamed]
    .map((file) => file.replace(/[*@]$/, '').replace(/ \(.* => .*\)$/, ''))
    .filter((file) => !file.endsWith('/'))
}

/** `Fri 2009-05-15 10:35:43 +0200`. */
function timeOf(stamp: string): number {
  const [, date, time, hours, minutes] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d):?(\d\d)/.exec(stamp) ?? []
  return Date.parse(`${date}T${time}${hours}:${minutes}`) || 0
}
