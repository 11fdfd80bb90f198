import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const maildirMissing = (path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_MAILDIR_MISSING',
    message: `The maildir "${path}" cannot be reached: ${said(cause)}.`,
    details: { path },
    hint: `Give the path of a folder that the master may read and write, with "new", "cur" and "tmp" in it: ${mkdir(path)}`,
    cause,
  })

export const notAMaildir = (path: string, missing: readonly string[]) =>
  new CiError({
    code: 'BOLT_MAILDIR_LAYOUT',
    message: `The folder "${path}" is no maildir: it has no folder ${missing.map((name) => `"${name}"`).join(', ')}.`,
    details: { path, missing },
    hint: `Give the folder that your mail is delivered into, or make it one: ${mkdir(path)}`,
  })

export const folderFailed = (path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_MAILDIR_FOLDER',
    message: `The maildir "${path}" cannot be used: ${said(cause)}.`,
    details: { path },
    hint: 'Give the user that the master runs as the right to read, write and search the maildir and what is in it.',
    cause,
  })

export const mailTooLarge = (size: number, limit: number) =>
  new CiError({
    code: 'BOLT_MAILDIR_TOO_LARGE',
    message: `The mail has "${size}" bytes, more than the limit of ${limit}.`,
    details: { size, limit },
  })

export const mailNotAFile = () =>
  new CiError({ code: 'BOLT_MAILDIR_NOT_A_FILE', message: 'It is no plain file, so it is no mail.' })

export const mailUnreadable = (cause: unknown) =>
  new CiError({
    code: 'BOLT_MAILDIR_UNREADABLE',
    message: `The mail cannot be read: ${said(cause)}.`,
    cause,
  })

export const mailTooSlow = (seconds: number) =>
  new CiError({
    code: 'BOLT_MAILDIR_SLOW',
    message: `The mail was not decoded in ${seconds} s.`,
    details: { seconds },
  })

export const notInFormat = (format: string, what: string) =>
  new CiError({
    code: 'BOLT_MAILDIR_FORMAT',
    message: `The mail is not in the format of "${format}": ${what}.`,
    details: { format },
  })

export const parserFailed = (cause: unknown) =>
  new CiError({
    code: 'BOLT_MAILDIR_PARSER',
    message: `The parser failed: ${said(cause)}.`,
    cause,
  })

const mkdir = (path: string) => `mkdir -p ${['new', 'cur', 'tmp'].map((name) => `'${path}/${name}'`).join(' ')}`

const said = (cause: unknown) => messageOf(cause).replace(/\.$/, '')
