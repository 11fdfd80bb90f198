import { CiError, listNames, messageOf, suggest } from 'boltbot/plugin-sdk'

export const controlUnreachable = (basedir: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CONTROL_UNREACHABLE',
    message: `No master runs in "${basedir}".`,
    details: { basedir },
    hint: 'Start it with "boltbot start", or name its base directory with --basedir.',
    cause,
  })

export const controlDenied = (basedir: string, path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CONTROL_DENIED',
    message: `The control socket "${path}" of the master in "${basedir}" may not be used by you.`,
    details: { basedir, path },
    hint: 'Run the command as the user that runs the master.',
    cause,
  })

export const controlTaken = (basedir: string) =>
  new CiError({
    code: 'BOLT_CONTROL_TAKEN',
    message: `A master runs in "${basedir}" already.`,
    details: { basedir },
    hint: 'Stop it with "boltbot stop", or look at it with "boltbot status".',
  })

export const controlListen = (path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_CONTROL_LISTEN',
    message: `The control socket "${path}" cannot be made: ${cause instanceof Error ? cause.message : String(cause)}.`,
    details: { path },
    hint: 'The base directory must be writable for the user that runs the master.',
    cause,
  })

export const controlPathTooLong = (path: string) =>
  new CiError({
    code: 'BOLT_CONTROL_PATH',
    message: `The path "${path}" is too long for a unix socket.`,
    details: { path },
    hint: 'Set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path.',
  })

export const controlUnknownMethod = (method: string, known: Iterable<string>) => {
  const near = suggest(method, known)
  return new CiError({
    code: 'BOLT_CONTROL_METHOD',
    message: `The master does not know the command "${method}".`,
    details: { method },
    hint: `${near === undefined ? '' : `Did you mean "${near}"? `}Known: ${listNames(known)}.`,
  })
}

export const controlBadMessage = (why: string) =>
  new CiError({
    code: 'BOLT_CONTROL_MESSAGE',
    message: `A message on the control socket is not right: ${why}.`,
    hint: 'Use the boltbot command of the same version as the master.',
  })

export const controlBadParams = (method: string, why: string) =>
  new CiError({
    code: 'BOLT_CONTROL_PARAMS',
    message: `The command "${method}" was given something it cannot use: ${why}.`,
    details: { method },
  })

export const controlBusy = (limit: number) =>
  new CiError({
    code: 'BOLT_CONTROL_BUSY',
    message: `The master serves ${limit} commands at present and takes no more.`,
    details: { limit },
    hint: 'Try again when some are done.',
  })

export const controlLost = () =>
  new CiError({
    code: 'BOLT_CONTROL_LOST',
    message: 'The master ended before it answered.',
    hint: 'Its log says why.',
  })

/** An error that came over the socket, as it was on the other side. */
export const controlRemote = (code: string, message: string, hint: string | undefined) =>
  new CiError({ code, message, ...(hint === undefined ? {} : { hint }) })

export const buildNotFound = (build: string) =>
  new CiError({
    code: 'BOLT_CONTROL_BUILD',
    message: `There is no build "${build}".`,
    details: { build },
    hint: 'Name it as builder and number ("full/12") or by its id; "boltbot builds" lists them.',
  })

export const stepNotFound = (step: string, build: string, known: readonly string[]) =>
  new CiError({
    code: 'BOLT_CONTROL_STEP',
    message: `Build "${build}" has no step "${step}".`,
    details: { step, build },
    hint: `Its steps: ${listNames(known)}.`,
  })

export const buildWithoutSteps = (build: string) =>
  new CiError({
    code: 'BOLT_CONTROL_NO_STEPS',
    message: `Build "${build}" has no step yet, and so no log.`,
    details: { build },
    hint: 'Ask again when its first step has begun.',
  })

/** What was no error of ours: its cause is in the master's log. */
export const controlFailed = (cause: unknown) =>
  new CiError({
    code: 'BOLT_CONTROL_FAILED',
    message: `The master could not do it: ${messageOf(cause)}`.replace(/[.]?$/, '.'),
    hint: 'Its log says more.',
    cause,
  })
