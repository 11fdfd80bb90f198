import { CiError, listNames, messageOf } from 'boltbot/plugin-sdk'

export const tryBuilderNotOffered = (builder: string, scheduler: string, offered: readonly string[]) =>
  new CiError({
    code: 'BOLT_TRY_BUILDER',
    message: `The try scheduler "${scheduler}" does not offer the builder "${builder}".`,
    details: { builder, scheduler, offered },
    hint: `It offers ${listNames(offered)}.`,
  })

export const jobMalformed = (why: string) =>
  new CiError({
    code: 'BOLT_TRY_JOB',
    message: `The job file cannot be understood: ${why}.`,
    details: { why },
    hint: 'Write it with "buildbot try --connect=ssh", versions 1 to 6.',
  })

export const jobTooLarge = (size: number, limit: number) =>
  new CiError({
    code: 'BOLT_TRY_TOO_LARGE',
    message: `The job file has ${size} bytes, more than the limit of ${limit}.`,
    details: { size, limit },
    hint: 'Raise maxSize of the scheduler, or try a smaller patch.',
  })

export const jobNotAFile = () =>
  new CiError({ code: 'BOLT_TRY_NOT_A_FILE', message: 'It is no plain file, so it is no job.' })

export const jobdirFailed = (path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_TRY_JOBDIR',
    message: `The job directory "${path}" cannot be used: ${messageOf(cause).replace(/\.$/, '')}.`,
    details: { path },
    hint: `Let the master's user read, write and search it, and its folders "new", "cur" and "tmp": mkdir -p '${path}'/{new,cur,tmp}`,
    cause,
  })
