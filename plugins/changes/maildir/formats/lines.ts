import { notInFormat } from '../errors.ts'
import type { CommitMail } from '../mail.ts'

/** The part of the sender's address before the `@`. @throws CiError `BOLT_MAILDIR_FORMAT` when the mail names no sender. */
export function localPart(format: string, { from }: CommitMail): string {
  const local = from?.address.replace(/@[^@]*$/, '').trim()
  if (!local) throw notInFormat(format, 'it names no sender in From')
  return local
}

// Mails come from strangers: no pattern here or in the formats may take longer than in proportion to its line.

/** A path without slashes at its end. */
export function withoutSlashes(path: string): string {
  let end = path.length
  while (end > 1 && path[end - 1] === '/') end--
  return path.slice(0, end)
}

/** A text without a remark in brackets at its end, if that begins as the pattern says. */
export function withoutRemark(text: string, begin: RegExp): string {
  const at = text.endsWith(')') ? text.lastIndexOf('(') : -1
  return at > 0 && begin.test(text.slice(at + 1)) ? text.slice(0, at).trimEnd() : text
}

/** A log message: without empty lines around it. */
export function messageOfLines(lines: readonly string[]): string {
  return lines.join('\n').replace(/^\n+/, '').trimEnd()
}

/** The lines after the first one that fits; `undefined` when none does. */
export function after(lines: readonly string[], mark: RegExp): readonly string[] | undefined {
  const at = lines.findIndex((line) => mark.test(line))
  return at === -1 ? undefined : lines.slice(at + 1)
}

/** The lines before the first one that fits, or all. */
export function before(lines: readonly string[], mark: RegExp): readonly string[] {
  const at = lines.findIndex((line) => mark.test(line))
  return at === -1 ? lines : lines.slice(0, at)
}
