import { notInFormat } from '../errors.ts'
import type { CommitMail, MailParser } from '../mail.ts'
import { messageOfLines, withoutRemark } from './lines.ts'

/**
 * Mails of Launchpad to those who subscribed to a Bazaar branch: `revno:`, `committer:`, `message:` and lists of files; the foot
 * names the branch, `lp:~…`. The change's branch is what `branchMap` has for that name, else `defaultBranch`.
 */
export const bzrLaunchpad: MailParser = (mail, { branchMap, defaultBranch }) => {
  if (!isFromLaunchpad(mail)) throw notInFormat(FORMAT, 'it does not come from launchpad.net')
  const told = /^\[Branch ([^\]\s]+)\] Rev (\d+):/.exec(mail.subject)
  if (told === null) throw notInFormat(FORMAT, 'its subject does not begin with "[Branch …] Rev N:"')
  const { fields, message, files, place } = readBody(mail.text.split('\n'))
  const revision = /^[\d.]+/.exec(fields.get('revno') ?? '')?.[0]
  if (revision === undefined) throw notInFormat(FORMAT, 'it has no line "revno:"')
  const who = fields.get('committer')
  if (!who) throw notInFormat(FORMAT, 'it has no line "committer:"')
  const repository = place ?? (told[1]?.startsWith('~') ? `lp:${told[1]}` : undefined)
  const mapped = repository !== undefined && Object.hasOwn(branchMap, repository) ? branchMap[repository] : undefined
  const when = timeOf(fields.get('timestamp') ?? '')
  return {
    who,
    files,
    comments: messageOfLines(message),
    branch: mapped === undefined ? defaultBranch : mapped,
    revision,
    ...(repository !== undefined && { repository }),
    ...(when !== null && { when }),
  }
}

const FORMAT = 'bzrLaunchpad'
const LISTS = new Set(['added', 'removed', 'renamed', 'modified', 'kind changed'])

function isFromLaunchpad(mail: CommitMail): boolean {
  const sender = `${mail.from?.address ?? ''} ${mail.header('Sender') ?? ''}`
  return /[@.]launchpad\.net\b/.test(sender) || mail.header('X-Launchpad-Message-Rationale') !== null
}

/** `key: value` lines at the margin; what belongs to a key is indented by two. Commits that were merged stand indented below. */
function readBody(lines: readonly string[]) {
  const fields = new Map<string, string>()
  const message: string[] = []
  const files: string[] = []
  let part = ''
  let over = false
  let place: string | undefined
  for (const line of lines) {
    place ??= /^(lp:\S+)\s*$/.exec(line)?.[1]
    // A rule within the body begins the merged commits, "diff:" the patch, "--" the foot.
    if (/^(diff:|--\s*$)/.test(line) || (fields.size > 0 && /^\s*-{20,}\s*$/.test(line))) over = true
    if (over) continue
    const key = /^([a-z][a-z ]*):(?=\s|$)/.exec(line)?.[1]
    if (key !== undefined) {
      part = key
      if (!fields.has(key)) fields.set(key, line.slice(key.length + 1).trim())
    } else if (part === 'message') message.push(line.replace(/^ {2}/, ''))
    else if (LISTS.has(part) && /^\s+\S/.test(line)) files.push(...namesOf(line.trim(), part))
  }
  return { fields, message, files, place }
}

/** A rename yields both names; a star marks a file that may be run, a slash a folder. */
function namesOf(item: string, part: string): readonly string[] {
  const names = part === 'renamed' ? item.split(' => ') : [part === 'kind changed' ? withoutRemark(item, /=>/) : item]
  return names.map((name) => name.replace(/(?<=.)[*/@]$/, ''))
}

/** `Fri 2009-05-15 10:35:43 +0200`. */
function timeOf(text: string): number | null {
  const [, date, time, hours, minutes] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d):?(\d\d)$/.exec(text) ?? []
  const ms = Date.parse(`${date}T${time}${hours}:${minutes}`)
  return Number.isNaN(ms) ? null : ms
}
