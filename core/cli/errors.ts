import { CiError } from 'boltbot/plugin-sdk'

export const notABasedir = (path: string) =>
  new CiError({
    code: 'BOLT_CLI_BASEDIR',
    message: `"${path}" is neither the base directory of a master (master.cfg.ts) nor of a slave (slave.json).`,
    details: { path },
    hint: 'Make one with "boltbot master BASEDIR" or "boltbot slave BASEDIR HOST:PORT NAME PASSWORD".',
  })

export const basedirUnusable = (path: string, what: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CLI_UNUSABLE',
    message: `The directory "${path}" cannot be ${what}: ${reasonOf(cause)}.`,
    details: { path },
    hint: isMissing(cause) ? 'Look at how it is written, and where you are.' : 'Look at its owner and mode.',
    cause,
  })

export const notAMaster = (path: string) =>
  new CiError({
    code: 'BOLT_CLI_SLAVE',
    message: `"${path}" is the directory of a slave, which has no config to read.`,
    details: { path },
    hint: 'Name the base directory of its master.',
  })

export const fileUnreadable = (file: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CLI_FILE',
    message: `"${file}" cannot be read: ${reasonOf(cause)}.`,
    details: { file },
    hint: isMissing(cause) ? 'Look at how it is written, and where you are.' : 'Look at its owner and mode.',
    cause,
  })

export const repoUnreadable = (repo: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CLI_REPO',
    message: `The repository "${repo}" cannot be read: ${gitReason(cause)}.`,
    details: { repo },
    hint: 'Try "git clone" with it; it must have at least one commit.',
    cause,
  })

export const repoPassword = (repo: string) =>
  new CiError({
    code: 'BOLT_CLI_REPO_PASSWORD',
    message: `The address of "${repo}" has a password or a token where none can be used.`,
    details: { repo },
    hint: 'With https write both, https://USER:PASSWORD@…, a token as the password; with ssh leave it out, and use a key.',
  })

export const basedirTaken = (path: string, file: string) =>
  new CiError({
    code: 'BOLT_CLI_EXISTS',
    message: `There is a "${file}" in "${path}" already.`,
    details: { path, file },
    hint: 'Name another directory, or remove it first.',
  })

export const alreadyRunning = (path: string, pid: number) =>
  new CiError({
    code: 'BOLT_CLI_RUNNING',
    message: `"${path}" is in use already, by process ${pid}.`,
    details: { path, pid },
    hint: 'Stop it with "boltbot stop", or use "boltbot restart".',
  })

export const notRunning = (path: string) =>
  new CiError({
    code: 'BOLT_CLI_NOT_RUNNING',
    message: `Nothing runs in "${path}".`,
    details: { path },
    hint: 'Start it with "boltbot start".',
  })

export const notStarted = (reason: string, logFile: string) =>
  new CiError({
    code: 'BOLT_CLI_START',
    message: `It did not start: ${reason.replace(/[.,\s]*$/, '')}${/[?!]\s*$/.test(reason) ? '' : '.'}`,
    details: { logFile },
    hint: `More is in "${logFile}".`,
  })

export const notStopped = (pid: number, seconds: number) =>
  new CiError({
    code: 'BOLT_CLI_STOP',
    message: `Process ${pid} did not end within ${seconds} s.`,
    details: { pid },
    hint: 'Use "boltbot stop --force" to end it at once.',
  })

export const badArgument = (what: string, value: string, expected: string) =>
  new CiError({
    code: 'BOLT_CLI_ARGUMENT',
    message: `The ${what} "${value}" cannot be used: it must be ${expected}.`,
    details: { what, value },
  })

export const pbUnreachable = (master: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_PB_UNREACHABLE',
    message: `The master "${master}" cannot be reached: ${reason}.`,
    details: { master, reason },
    hint: 'Look at its address, and whether it runs.',
  })

export const pbRefused = (master: string, user: string) =>
  new CiError({
    code: 'BOLT_CLI_PB_REFUSED',
    message: `The master "${master}" does not let "${user}" in: no such user, or a wrong password.`,
    details: { master, user },
    hint: 'Ask who looks after it for user and password.',
  })

export const pbFailed = (master: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_PB_FAILED',
    message: `The master "${master}" refuses: ${reason}`,
    details: { master, reason },
  })

export const pbLost = (master: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_PB_LOST',
    message: `The connection to the master "${master}" was lost: ${reason}.`,
    details: { master, reason },
    hint: 'Try again; if it happens again its log may say why.',
  })

export const optionMissing = (option: string, example: string) =>
  new CiError({
    code: 'BOLT_CLI_OPTION_MISSING',
    message: `The option ${option} is needed, here or in an options file.`,
    details: { option },
    hint: `For example ${example}.`,
  })

export const optionsFileWrong = (file: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_OPTIONS_FILE',
    message: `The options file "${file}" cannot be used: ${reason}.`,
    details: { file },
    hint: 'It holds a JSON object, or a line "name = value" for each option.',
  })

export const cliBuilderOrScheduler = () =>
  new CiError({
    code: 'BOLT_CLI_WHAT',
    message: 'Name a builder, or a scheduler with --scheduler: one of the two.',
    hint: '"boltbot builders" lists the builders.',
  })

export const treeUnknown = (folder: string) =>
  new CiError({
    code: 'BOLT_CLI_TREE_UNKNOWN',
    message: `"${folder}" is in no working tree of a known version control system.`,
    details: { folder },
    hint: 'Go into one, say which with --vc, or give a patch with --diff.',
  })

export const treeFailed = (tool: string, args: readonly string[], reason: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CLI_TREE',
    message: `"${tool} ${args.slice(0, 2).join(' ')}" failed: ${reason}`,
    details: { tool, args, reason },
    hint: 'Look whether the working tree is whole, or give a patch with --diff.',
    cause,
  })

export const treeBinary = (tool: string, file: string) =>
  new CiError({
    code: 'BOLT_CLI_TREE_BINARY',
    message: `The patch cannot carry "${file}": it is no text, and ${tool} only says that it differs.`,
    details: { tool, file },
    hint: 'Commit it first, or leave it out; with git and hg it would go along.',
  })

export const treeMoved = (tool: string, what: string) =>
  new CiError({
    code: 'BOLT_CLI_TREE_MOVED',
    message: `The patch cannot carry "${what}": ${tool} does not put moved files into its diffs.`,
    details: { tool, what },
    hint: 'Commit the move first.',
  })

export const patchTooLarge = (size: number, limit: number) =>
  new CiError({
    code: 'BOLT_CLI_PATCH_TOO_LARGE',
    message: `The patch has ${size} bytes; over Perspective Broker a master takes ${limit} at most.`,
    details: { size, limit },
    hint: 'Use --connect=ssh, or a smaller patch.',
  })

export const tryNoBuilder = (builders: readonly string[]) =>
  new CiError({
    code: 'BOLT_CLI_TRY_BUILDER',
    message: `The try scheduler of the master does not offer "${builders.join('", "')}".`,
    details: { builders },
    hint: '--get-builder-names shows what it offers.',
  })

export const tryNotFound = (job: string, seconds: number) =>
  new CiError({
    code: 'BOLT_CLI_TRY_NOT_FOUND',
    message: `The master knows nothing of the job "${job}", ${seconds} s after it was delivered.`,
    details: { job, seconds },
    hint: 'Look into the folder "failed" of its job directory, and whether --master is the same master.',
  })

export const sshFailed = (host: string, reason: string) =>
  new CiError({
    code: 'BOLT_CLI_SSH',
    message: `The job could not be delivered to "${host}": ${reason}`,
    details: { host, reason },
    hint: 'Look whether ssh reaches it, and whether boltbot is installed there.',
  })

/** `one`: `a request`; `other`: `a builder with --builder`. */
export const oneOfTwo = (one: string, other: string, hint: string) =>
  new CiError({
    code: 'BOLT_CLI_CHOICE',
    message: `Give ${one}, or ${other}: one of the two.`,
    details: { one, other },
    hint,
  })

export const noSuchRequest = (request: number) =>
  new CiError({
    code: 'BOLT_CLI_NO_REQUEST',
    message: `There is no request ${request}.`,
    details: { request },
    hint: '"boltbot why" lists those that wait; older ones may have been deleted.',
  })

export const noMailNotifier = () =>
  new CiError({
    code: 'BOLT_CLI_NO_MAILS',
    message: 'No plugin of the config writes mails about builds.',
    hint: 'Give a mailNotifier in "status".',
  })

export const badEnvironmentLine = (file: string, line: number, text: string) =>
  new CiError({
    code: 'BOLT_CLI_ENVIRONMENT',
    message: `Line ${line} of "${file}" is "${text}", which is not KEY=VALUE.`,
    details: { file, line },
    hint: 'Write one variable a line; lines that begin with "#" are left out.',
  })

/** The last word of git, without its prefix. */
function gitReason(cause: unknown): string {
  const { stderr, code } = cause as { readonly stderr?: string; readonly code?: string } // as execFile rejects
  if (code === 'ENOENT') return 'git is not installed'
  const last = stderr
    ?.trimEnd()
    .split('\n')
    .findLast((line) => /^(fatal|error|remote):/.test(line))
  return last?.replace(/^\w+: /, '').replace(/\.$/, '') ?? reasonOf(cause)
}

const isMissing = (cause: unknown) => (cause as { readonly code?: string } | null)?.code === 'ENOENT'

/** Node's own codes in words. */
function reasonOf(cause: unknown): string {
  const code = (cause as { readonly code?: string } | null)?.code
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
    ENOENT: 'it does not exist',
    ENOTDIR: 'it is not a directory',
    EROFS: 'its file system is read-only',
    ENOSPC: 'the disk is full',
    EISDIR: 'it is a directory',
  }
  return (code && words[code]) ?? (cause instanceof Error ? cause.message : String(cause))
}

export const noTerminal = () =>
  new CiError({
    code: 'BOLT_CLI_TERMINAL',
    message: 'The dashboard needs a terminal.',
    hint: '"boltbot statuslog" prints what happens, a line each.',
  })
