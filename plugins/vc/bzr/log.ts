import type { Commit } from '../submit-commits.ts'

/** One revision of `brz log --log-format=long -v`: fields at the margin, what belongs to them indented by two. */
const SEPARATOR = /^-{60}$/m

/** @returns in the order of the log; `branch` is left to the caller. */
export function parseBzrLog(log: string): readonly Commit[] {
  return log
    .split(SEPARATOR)
    .filter((entry) => /^revno: /m.test(entry))
    .map(parseEntry)
}

function parseEntry(entry: string): Commit {
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
    who,
    files: filesOf(sections),
    comments: (sections.get('message') ?? []).join('\n').trim(),
    revision: (fields.get('revno') ?? '').split(' ')[0] ?? null, // "3 [merge]"
    when: timeOf(fields.get('timestamp') ?? ''),
  }
}

/** A rename gives both names; `*` behind a name tells a changed mode. */
function filesOf(sections: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const named = (name: string) => (sections.get(name) ?? []).filter((line) => line !== '')
  const plain = ['added', 'removed', 'modified', 'kind changed', 'missing'].flatMap(named)
  const renamed = ['renamed', 'copied'].flatMap(named).flatMap((line) => line.split(' => '))
  return [...plain, ...renamed].map((file) => file.replace(/[*@]$/, '').replace(/ \(.* => .*\)$/, ''))
}

/** `Fri 2009-05-15 10:35:43 +0200`. */
function timeOf(stamp: string): number {
  const [, date, time, hours, minutes] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d):?(\d\d)/.exec(stamp) ?? []
  return Date.parse(`${date}T${time}${hours}:${minutes}`) || 0
}
