import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const gitMissing = () =>
  new CiError({
    code: 'BOLT_DEMO_GIT',
    message:
      'The demo builds from a git repository, and there is no git on this machine: install git and start it again.',
  })

export const gitRefused = (args: readonly string[], cause: unknown) =>
  new CiError({
    code: 'BOLT_DEMO_GIT_FAILED',
    message: `The demo cannot make its repository: "git ${args[0]}" failed: ${messageOf(cause)}`.replace(/\.?$/, '.'),
    details: { args },
    cause,
  })

export const folderTaken = (path: string) =>
  new CiError({
    code: 'BOLT_DEMO_FOLDER',
    message: `The folder "${path}" is not empty: name a new one, or none to have a temporary one.`,
    details: { path },
  })

export const folderUnusable = (path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_DEMO_FOLDER_UNUSABLE',
    message: `The folder "${path}" cannot be made (${reasonOf(cause)}): name another one.`,
    details: { path },
    cause,
  })

export const portTaken = (port: number, cause: unknown) =>
  new CiError({
    code: 'BOLT_DEMO_PORT',
    message: `Port ${port} cannot be used (${reasonOf(cause)}): name another one with --port, or none to have a free one.`,
    details: { port },
    cause,
  })

export const childEnded = (name: string, end: string, lastWords: string, logFile: string) =>
  new CiError({
    code: 'BOLT_DEMO_ENDED',
    message: `The ${name} ended in the middle of the demo (${end})${lastWords === '' ? '' : `: ${lastWords}`}`.replace(
      /\.?$/,
      '.',
    ),
    details: { name, logFile },
    hint: `Its log: ${logFile}`,
  })

export const tookTooLong = (what: string, seconds: number, folder: string) =>
  new CiError({
    code: 'BOLT_DEMO_LATE',
    message: `The demo waited ${seconds} s for ${what} in vain.`,
    details: { what, folder },
    hint: `All logs are in "${folder}".`,
  })

export const wrongResult = (build: string, expected: string, found: string, folder: string) =>
  new CiError({
    code: 'BOLT_DEMO_RESULT',
    message: `Build ${build} should have been a ${expected} and was a ${found}.`,
    details: { build, expected, found },
    hint: `All logs are in "${folder}".`,
  })

/** Node's own codes in words. */
function reasonOf(cause: unknown): string {
  const code = (cause as { readonly code?: string } | null)?.code
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has it',
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
    ENOENT: 'the folder it should be in does not exist',
    ENOTDIR: 'it is not a folder',
    EROFS: 'its file system is read-only',
    ENOSPC: 'the disk is full',
  }
  return (code && words[code]) ?? messageOf(cause)
}
