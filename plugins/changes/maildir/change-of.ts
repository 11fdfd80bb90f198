import { createHash } from 'node:crypto'
import { type ChangeInput, CiError } from 'boltbot/plugin-sdk'
import { stripped } from '../prefix.ts'
import { parserFailed } from './errors.ts'
import { type CommitMail, type Ignored, ignore } from './mail.ts'
import type { ReadMail } from './mails.ts'
import type { CheckedMaildir } from './options.ts'

/** From a mail to the change as it is handed in: parsed, its prefix stripped, completed from the options, with its key. */
export type ChangeOf = (read: ReadMail, name: string) => ChangeInput | Ignored

const MAX_COMMENTS = 500_000

/** @throws CiError of the parser; `BOLT_MAILDIR_PARSER` for anything else it throws, or when what it gives is nothing known. */
export function createChangeOf(source: string, options: CheckedMaildir): ChangeOf {
  const { prefix, branchMap, defaultBranch, category, repository, project, codebase } = options
  const completion = {
    ...(category !== undefined && { category }),
    ...(repository !== undefined && { repository }),
    ...(project !== undefined && { project }),
    ...(codebase !== undefined && { codebase }),
  }
  const parse = (mail: CommitMail): ChangeInput | Ignored => {
    try {
      return options.parser(mail, { branchMap, defaultBranch })
    } catch (error) {
      throw error instanceof CiError ? error : parserFailed(error)
    }
  }
  return ({ mail, digest }, name) => {
    const parsed = parse(mail)
    if (isIgnored(parsed)) return parsed
    if (!isChange(parsed)) throw parserFailed('it gave neither a change nor what ignore(reason) gives')
    if (parsed.files.length === 0) return ignore('it names no file')
    const files = stripped(parsed.files, prefix)
    if (files.length === 0) return ignore(`no file is in "${prefix}"`)
    return {
      ...completion,
      when: mail.received,
      ...parsed,
      files,
      comments: parsed.comments.slice(0, MAX_COMMENTS),
      key: parsed.key ?? keyOf(source, mail, digest, name),
    }
  }
}

/**
 * The same for one mail however often it is read. Without a Message-ID the file's own name tells two mails of the same words
 * apart.
 */
function keyOf(source: string, { messageId }: CommitMail, digest: string, name: string): string {
  const id = messageId ?? name.replace(/:2,.*$/s, '')
  return `${source} ${createHash('sha256')
    .update(JSON.stringify([id, digest]))
    .digest('hex')}`
}

function isIgnored(parsed: ChangeInput | Ignored): parsed is Ignored {
  return typeof (parsed as Partial<Ignored> | null | undefined)?.ignored === 'string' // plain JavaScript may give anything
}

function isChange(parsed: ChangeInput): boolean {
  const { who, files, comments } = (parsed ?? {}) as Partial<ChangeInput> // as above
  return typeof who === 'string' && Array.isArray(files) && typeof comments === 'string'
}
