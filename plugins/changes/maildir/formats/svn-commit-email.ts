import { notInFormat } from '../errors.ts'
import type { MailParser } from '../mail.ts'
import { messageOfLines, withoutRemark, withoutSlashes } from './lines.ts'

/**
 * Mails of Subversion's `commit-email.pl` and `mailer.py`: `Author:`, `New Revision:`, the message under `Log:`, and the files,
 * indented, under `Added:`, `Removed:` and `Modified:`, before or after the message.
 */
export const svnCommitEmail: MailParser = (mail) => {
  const fields = new Map<string, string>()
  const files: string[] = []
  const comments: string[] = []
  let part: 'head' | 'files' | 'log' = 'head'
  let listed = false
  const lines = mail.text.split('\n')
  for (const [index, line] of lines.entries()) {
    const isDiff = DIFF.test(line) && /^={5,}\s*$/.test(lines[index + 1] ?? '')
    if (isDiff) break
    if (LIST.test(line) && (part !== 'log' || !listed)) {
      part = 'files'
      listed = true
    } else if (part === 'log') comments.push(line)
    else if (LOG.test(line)) part = 'log'
    else if (part === 'files' && line.trim() === '') part = 'head'
    else if (part === 'files') files.push(...namesOf(line))
    else {
      const name = /^([A-Z][A-Za-z ]*):/.exec(line)?.[1]
      if (name !== undefined && !fields.has(name)) fields.set(name, line.slice(name.length + 1).trim())
    }
  }
  const who = fields.get('Author')
  const revision = /^r?(\d+)$/.exec(fields.get('New Revision') ?? '')?.[1]
  if (!who) throw notInFormat('svnCommitEmail', 'it has no line "Author:"')
  if (revision === undefined) throw notInFormat('svnCommitEmail', 'it has no line "New Revision:" with a number')
  return { who, files, comments: messageOfLines(comments), revision }
}

const LIST = /^(Added|Removed|Deleted|Modified|Replaced|Copied):(\s*\(.*\))?\s*$/
const LOG = /^Log(?: Message)?:\s*$/
const DIFF = /^(Added|Removed|Deleted|Modified|Copied|Property changes on): \S/

/** One name a line as a rule, with remarks in brackets or on a line of their own; some programs put several on a line. */
function namesOf(line: string): readonly string[] {
  const text = withoutRemark(line.trim(), /^(contents|props|with props|original)\b/)
  if (/^- (copied|moved|replaced)\b/.test(text)) return []
  const words = text.split(/\s+/)
  // `trunk/a.c trunk/b.c` are two, `trunk/my file.c` is one: names of one commit begin alike, pieces of one name do not.
  const tops = words.map((word) => (word.includes('/') ? word.slice(0, word.indexOf('/')) : ''))
  const names = new Set(tops).size === 1 ? words : [text]
  return names.map(withoutSlashes)
}
