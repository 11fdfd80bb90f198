import { notInFormat } from '../errors.ts'
import { ignore, type MailParser } from '../mail.ts'
import { after, before, localPart, messageOfLines, withoutSlashes } from './lines.ts'

/**
 * Mails of the program `buildbot-cvs-mail`, which CVS runs for each folder of a commit: `Cvsmode:`, `Files:` and others up to
 * `Log Message:`. The revision is the time of the mail, as CVS has none of its own.
 */
export const buildbotCvsMail: MailParser = (mail) => {
  const lines = mail.text.split('\n')
  const body = after(lines, LOG)
  if (body === undefined) throw notInFormat(FORMAT, 'it has no line "Log Message:"')
  const field = createFields(before(lines, LOG))

  const mode = field('Cvsmode')
  if (mode !== '1.11' && mode !== '1.12') throw notInFormat(FORMAT, 'it has no line "Cvsmode:" with 1.11 or 1.12')
  const listed = field('Files')
  if (listed === undefined) throw notInFormat(FORMAT, 'it has no line "Files:"')
  if (/ - New directory\b/.test(listed)) return ignore('a new directory')
  const path = field('Path')
  if (mode === '1.12' && path === undefined) throw notInFormat(FORMAT, 'it has no line "Path:"')

  const when = mail.date ?? mail.received
  const [category, repository, project] = [field('Category'), field('CVSROOT'), field('Project')]
  return {
    who: localPart(FORMAT, mail),
    files: mode === '1.11' ? files111(listed, path) : files112(listed, path ?? ''),
    comments: messageOfLines(body),
    branch: field('Tag') ?? null,
    revision: new Date(when).toISOString().slice(0, 19).replace('T', ' '),
    when,
    ...(category !== undefined && { category }),
    ...(repository !== undefined && { repository }),
    ...(project !== undefined && { project }),
  }
}

const FORMAT = 'buildbotCvsMail'
const LOG = /^Log Message:\s*$/

/** The first value of a header line, also an indented one; empty ones and `None` count as not there. */
function createFields(lines: readonly string[]) {
  return (name: string): string | undefined => {
    const line = lines.map((one) => one.trim()).find((one) => one.startsWith(`${name}:`))
    const value = line?.slice(name.length + 1).trim()
    return value === undefined || value === '' || value === 'None' ? undefined : value
  }
}

/** `src/lib a.c,1.1,1.2 b.c,NONE,1.1`. Names may hold blanks and commas. */
function files111(listed: string, path: string | undefined): readonly string[] {
  const folder = path !== undefined && listed.startsWith(`${path} `) ? path : (listed.split(' ', 1)[0] ?? '')
  const names: string[] = []
  let words: string[] = []
  for (const word of listed.slice(folder.length).trim().split(' ')) {
    const last = LAST_WORD.exec(word)?.[1]
    words.push(last ?? word)
    if (last === undefined) continue
    names.push(words.join(' '))
    words = []
  }
  return inFolder(names, folder)
}

/** `a.c 1.1 1.2 b.c NONE 1.1`, all in the folder of `Path:`. */
function files112(listed: string, path: string): readonly string[] {
  const names: string[] = []
  let words: string[] = []
  for (const word of listed.split(' ')) {
    words.push(word)
    if (words.length < 3 || !VERSION.test(word) || !VERSION.test(words.at(-2) ?? '')) continue
    names.push(words.slice(0, -2).join(' '))
    words = []
  }
  return inFolder(names, path)
}

const VERSION = /^(?:\d+(?:\.\d+)+|NONE)$/
const LAST_WORD = /^(.*),(?:\d+(?:\.\d+)+|NONE),(?:\d+(?:\.\d+)+|NONE)$/

function inFolder(names: readonly string[], path: string): readonly string[] {
  if (names.length === 0) throw notInFormat(FORMAT, 'its line "Files:" names no file with two versions')
  const folder = withoutSlashes(path)
  return names.map((name) => (folder === '' || folder === '.' ? name : `${folder}/${name}`))
}
