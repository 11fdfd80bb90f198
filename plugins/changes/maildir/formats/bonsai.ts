import { notInFormat } from '../errors.ts'
import { ignore, type MailParser } from '../mail.ts'
import { after, before, messageOfLines, withoutSlashes } from './lines.ts'

/**
 * Mails of Bonsai's `dolog.pl`: a line per file, `C|time|user|repository|folder|file|revision|sticky|branch|added|removed` (`A` and
 * `R` for added and removed ones), then the message between `LOGCOMMENT` and `:ENDLOGCOMMENT`.
 */
export const bonsai: MailParser = (mail) => {
  const lines = mail.text.split('\n')
  if (lines.some((line) => /^Tag\|/.test(line))) return ignore('a tag, no commit')
  const body = after(lines, /^LOGCOMMENT\s*$/)
  if (body === undefined) throw notInFormat('bonsai', 'it has no line "LOGCOMMENT"')
  const entries = before(lines, /^LOGCOMMENT\s*$/)
    .filter((line) => line.trim() !== '')
    .map(entryOf)
  const [first] = entries
  if (first === undefined) return ignore('it names no file') // an import, a new directory
  return {
    who: first.who,
    files: entries.map(({ path }) => path),
    comments: messageOfLines(before(body, /^:ENDLOGCOMMENT/)),
    branch: entries.map((entry) => entry.branch).find((branch) => branch !== '') ?? null,
    repository: first.repository,
    ...(first.when !== null && { when: first.when }),
  }
}

function entryOf(line: string) {
  const fields = line.split('|').map((field) => field.trim())
  const [kind = '', time = '', who = '', repository = '', folder = '', file = '', , , branch = ''] = fields
  if (fields.length < 6 || !/^[ACR]$/.test(kind) || who === '')
    throw notInFormat('bonsai', `"${line.slice(0, 100)}" is no line about a file`)
  const parts = [withoutSlashes(folder.replace(/^(?:\.?\/)+/, '')), file].filter((part) => part !== '' && part !== '.')
  return {
    who,
    repository,
    path: parts.join('/'),
    branch: branch.replace(/^T/, ''), // as CVS marks a branch in its own files
    when: /^\d{1,12}$/.test(time) ? Number(time) * 1000 : null,
  }
}
