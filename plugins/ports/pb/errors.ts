import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const cannotListen = (address: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_PB_LISTEN',
    message: `The master cannot listen for Perspective Broker on ${address}: ${messageOf(cause)}.`,
    details: { address },
    hint: 'Stop the program that has the port, or give another port.',
    cause,
  })

export const userTaken = (user: string, address: string) =>
  new CiError({
    code: 'BOLT_PB_USER_TAKEN',
    message: `Two plugins let the user "${user}" log in on ${address}.`,
    details: { user, address },
    hint: 'Give one of them another user, or another port.',
  })

export const linkLost = (peer: string, reason: string) =>
  new CiError({
    code: 'BOLT_PB_LOST',
    message: `The link to ${peer} was lost: ${reason}.`,
    details: { peer, reason },
  })

export const certificateUnreadable = (file: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_PB_CERTIFICATE',
    message: `"${file}" cannot be used for TLS: ${messageOf(cause)}.`,
    details: { file },
    hint: 'Give PEM files that the user of the master can read, and that belong together.',
    cause,
  })

export const certificatesDiffer = (address: string) =>
  new CiError({
    code: 'BOLT_PB_CERTIFICATES_DIFFER',
    message: `Two plugins listen on ${address}, and not with the same certificate.`,
    details: { address },
    hint: 'Give both the same port, word by word, or another number to one of them.',
  })
