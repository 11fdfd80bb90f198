import { CiError } from 'boltbot/plugin-sdk'

export const linkLost = (slave: string, reason: string) =>
  new CiError({
    code: 'BOLT_SESSION_LOST',
    message: `The slave "${slave}" was lost: ${reason}.`,
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
