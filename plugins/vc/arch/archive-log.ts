import type { Commit } from '../submit-commits.ts'

/** `tla cat-archive-log`: fields as in a mail, names of files escaped, the message behind an empty line. */
export function parseArchiveLog(text: string): Commit {
  const [head = '', ...rest] = text.split(/\n\n/)
  const fields = new Map<string, string>()
  for (const line of head.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name = '', value = ''] = /^([\w-]+): ?(.*)$/.exec(line) ?? []
    if (name !== '') fields.set(name.toLowerCase(), value.trim())
  }
  const body = rest.join('\n\n').trim()
  return {
    who: fields.get('creator') || 'unknown',
    files: [...new Set(LISTS.flatMap((name) => namesOf(fields.get(name) ?? '')))].toSorted(),
    comments: [fields.get('summary') ?? '', body].filter(Boolean).join('\n\n'),
    when: Date.parse((fields.get('standard-date') ?? '').replace(/^(\S+) (\S+) GMT$/, '$1T$2Z')) || 0,
    ...placeOf(fields.get('revision') ?? ''),
  }
}

/** `proj--main--1.0--patch-1` is revision `patch-1` of the branch `proj--main--1.0`. */
export function placeOf(revision: string): { readonly branch: string | null; readonly revision: string } {
  const cut = revision.lastIndexOf('--')
  return {
    branch: cut === -1 ? null : revision.slice(0, cut),
    revision: cut === -1 ? revision : revision.slice(cut + 2),
  }
}

/** A renamed file stands with both names. */
const LISTS = ['new-files', 'modified-files', 'removed-files', 'renamed-files']

/** Ids of tags are no files of people. */
const namesOf = (list: string) =>
  list
    .split(' ')
    .filter((name) => name !== '' && !name.includes('.arch-ids/'))
    .map((name) => unescapeName(name).replace(/^\.\//, ''))

/** `neu\(sp)name\(U+C3)\(U+A9)` is `neu nameé`: blanks have names, bytes of UTF-8 a number each. */
function unescapeName(name: string): string {
  const bytes = name.split(/(\\\([^)]*\)|\\.)/).map((part) => {
    const special = /^\\\((?:U\+([0-9a-f]{1,2})|(\w+))\)$/i.exec(part)
    if (special === null) return Buffer.from(part.replace(/^\\(.)$/, '$1'))
    return special[1] === undefined
      ? Buffer.from(BLANKS[special[2]!.toLowerCase()] ?? part)
      : Buffer.from([Number.parseInt(special[1], 16)])
  })
  return Buffer.concat(bytes).toString()
}

const BLANKS: Readonly<Record<string, string>> = { sp: ' ', tab: '\t', nl: '\n', cr: '\r', np: '\f', dq: '"', sq: "'" }
