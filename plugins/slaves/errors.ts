import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const socketFailed = (path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_LOCAL_SOCKET',
    message: `The master cannot listen for the slaves it starts on "${path}": ${messageOf(cause)}.`,
    details: { path },
    hint: 'Make the base directory of the master writable, or end the program that uses this socket.',
    cause,
  })

export const directoryFailed = (slave: string, path: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_LOCAL_DIRECTORY',
    message: `The directory "${path}" of the slave "${slave}" cannot be made: ${messageOf(cause)}.`,
    details: { slave, path },
    cause,
  })

export const linkLost = (slave: string, reason: string) =>
  new CiError({
    code: 'BOLT_SESSION_LOST',
    message: `The slave "${slave}" was lost: ${reason.replace(/\.$/, '')}.`,
    details: { slave, reason },
  })

export const notHeld = (slave: string, id: object) =>
  new CiError({
    code: 'BOLT_AGENTS_NOT_HELD',
    message: `The slave "${slave}" has no command ${JSON.stringify(id)} any more.`,
    details: { slave, id },
  })

export const slaveRefused = (slave: string, reason: string) =>
  new CiError({
    code: 'BOLT_AGENTS_REFUSED',
    message: `The slave "${slave}" cannot do that: ${reason}`,
    details: { slave, reason },
  })

export const workerRefused = (slave: string, what: string, reason: string) =>
  new CiError({
    code: 'BOLT_WORKERS_REFUSED',
    message: `The worker "${slave}" cannot do "${what}": ${reason}`,
    details: { slave, what, reason },
    hint: 'Look at its twistd.log.',
  })

export const notResumable = (slave: string) =>
  new CiError({
    code: 'BOLT_WORKERS_NOT_RESUMABLE',
    message: `The worker "${slave}" keeps no commands over a broken link.`,
    details: { slave },
  })
