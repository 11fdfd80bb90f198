import { notInFormat } from '../errors.ts'
import { ignore, type MailParser } from '../mail.ts'
import { after, before, localPart, messageOfLines, withoutSlashes } from './lines.ts'

/**
 * Mails of syncmail, one per folder of a CVS commit. The subject begins with the folder; under `Modified Files:`, `Added Files:`
 * and `Removed Files:` stand its files, indented; `Tag:` names the branch.
 */
export const syncmail: MailParser = (mail) => {
  const lines = mail.text.split('\n')
  const body = after(lines, LOG)
  if (body === undefined) throw notInFormat('syncmail', 'it has no line "Log Message:"')
  const head = before(lines, LOG)
  const subject = mail.subject.replace(/^(?:(?:\[[^\]]*\]|CVS:)\s*)+/, '')
  if (/ - New directory\b/.test(subject)) return ignore('a new directory')

  const who = localPart('syncmail', mail)
  if (/ - Imported sources\b/.test(subject)) return { who, ...imported(body) }

  const folder = folderOf(subject, head)
  if (folder === '') throw notInFormat('syncmail', 'its subject does not begin with a folder')
  let branch: string | null = null
  let listing = false
  const files: string[] = []
  for (const line of head) {
    const tag = /^\s+Tag: (\S+)/.exec(line)?.[1]
    if (/^(Modified|Added|Removed) Files:/.test(line)) listing = true
    else if (listing && tag !== undefined) branch = tag
    else if (listing && /^\s+\S/.test(line)) files.push(...line.trim().split(/\s+/))
    else listing = false
  }
  const comments = messageOfLines(before(body, /^Index: |^--- NEW FILE\b|^--- .* DELETED ---/))
  const inside = folder === '.' ? '' : `${folder}/`
  return { who, files: files.map((file) => `${inside}${file}`), comments, branch }
}

const LOG = /^Log Message:\s*$/

/** A folder may have spaces: the line `Update of` ends with the whole of it. Else the subject's first word. */
function folderOf(subject: string, head: readonly string[]): string {
  const updated = head.map((line) => /^Update of (\S.*)$/.exec(line)?.[1]?.trim()).find((path) => path !== undefined)
  const parts = (updated ?? '').split('/', 100)
  for (let from = 0; from < parts.length; from++) {
    const folder = parts.slice(from).join('/')
    if (folder.includes(' ') && subject.startsWith(`${folder} `)) return folder
  }
  return withoutSlashes(subject.split(/\s/, 1)[0] ?? '')
}

/** `cvs import`: below `Status:` stand the files, from the repository's top. */
function imported(body: readonly string[]) {
  const listed = after(body, /^Status:\s*$/) ?? []
  const files = listed.flatMap((line) => /^[NUCL] (\S.*)$/.exec(line)?.[1] ?? [])
  const branch = listed.map((line) => /^Vendor Tag:\s+(\S+)/.exec(line)?.[1]).find((tag) => tag !== undefined) ?? null
  return { files, branch, comments: messageOfLines(before(body, /^Status:\s*$/)) }
}
