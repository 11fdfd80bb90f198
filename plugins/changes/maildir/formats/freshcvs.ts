import { notInFormat } from '../errors.ts'
import type { MailParser } from '../mail.ts'
import { after, before, messageOfLines, withoutSlashes } from './lines.ts'

/**
 * Mails of the FreshCVS daemon (CVSToys). The sender is shown as `jane CVS`; under `Modified files:` stands a file a line with
 * the lines added and removed, under `Log message:` the message.
 */
export const freshcvs: MailParser = (mail) => {
  const name = mail.from?.name.trim() ?? ''
  const who = /\sCVS$/.test(name) ? name.slice(0, -'CVS'.length).trimEnd() : ''
  if (who === '') throw notInFormat('freshcvs', 'its sender is not shown as "<user> CVS"')
  const lines = mail.text.split('\n')
  const body = after(lines, /^log message:\s*$/i)
  if (body === undefined) throw notInFormat('freshcvs', 'it has no line "Log message:"')

  const files: string[] = []
  let listing = false
  for (const line of before(lines, /^log message:\s*$/i)) {
    if (/^(modified|added|removed) files:\s*$/i.test(line)) listing = true
    else if (line.trim() === '') listing = false
    else if (listing) files.push(nameOf(line))
  }
  return { who, files, comments: messageOfLines(before(body, /^(ViewCVS links:|Index: )/)) }
}

/** Folders have no counts, or two zeros. */
function nameOf(line: string): string {
  const text = line.trim()
  return withoutSlashes(/^(.*\S)\s+\+?\d+\s+-?\d+$/.exec(text)?.[1] ?? text)
}
