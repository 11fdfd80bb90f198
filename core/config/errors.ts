import { CiError } from 'boltbot/plugin-sdk'
import { formatProblems, type Problem } from './problem.ts'

export const configProblems = (file: string, problems: readonly Problem[]) =>
  new CiError({
    code: 'BOLT_CONFIG_PROBLEMS',
    message: `The config "${file}" has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}.`,
    details: { file, problems },
    hint: formatProblems(problems),
  })

export const configMissing = (file: string) =>
  new CiError({
    code: 'BOLT_CONFIG_MISSING',
    message: `There is no config file "${file}".`,
    details: { file },
    hint: 'Name a master.cfg.ts, master.cfg.js or master.cfg.mjs, or make a base directory with "boltbot master BASEDIR".',
  })

export const secretUnknown = (name: string, file: string, variable: string) =>
  new CiError({
    code: 'BOLT_SECRETS_UNKNOWN',
    message: `The secret "${name}" is not there.`,
    details: { name, file, variable },
    hint: `Write it into "${file}" (mode 0600) or set the environment variable ${variable}.`,
  })

export const secretBadName = (name: string) =>
  new CiError({
    code: 'BOLT_SECRETS_NAME',
    message: `The secret name "${name}" is not allowed.`,
    details: { name },
    hint: 'Use letters, digits, ".", "_" and "-", and begin with a letter or digit.',
  })

export const secretTooOpen = (name: string, file: string, mode: string) =>
  new CiError({
    code: 'BOLT_SECRETS_MODE',
    message: `The file "${file}" of the secret "${name}" can be used by others: its mode is ${mode}.`,
    details: { name, file, mode },
    hint: `Run: chmod 600 '${file}'`,
  })

export const secretUnreadable = (name: string, file: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_SECRETS_UNREADABLE',
    message: `The file "${file}" of the secret "${name}" cannot be read.`,
    details: { name, file },
    hint: 'Give its owner, the user that runs the master, the right to read it.',
    cause,
  })

export const secretEmpty = (name: string, where: string) =>
  new CiError({
    code: 'BOLT_SECRETS_EMPTY',
    message: `The secret "${name}" is empty in "${where}".`,
    details: { name, where },
    hint: 'Write its value there.',
  })

export const configNotKept = (hash: string, why: string) =>
  new CiError({
    code: 'BOLT_CONFIG_NOT_KEPT',
    message: `The config that the build began with cannot be used any more: ${why}.`,
    details: { hash, why },
  })
