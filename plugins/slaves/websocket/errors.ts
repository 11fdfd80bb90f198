import { CiError, messageOf } from 'boltbot/plugin-sdk'

export const portTaken = (address: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_AGENTS_PORT_TAKEN',
    message: `The port ${address} for slaves is taken by another program.`,
    details: { address },
    hint: 'Stop the other one, or give another port in agents({ port }).',
    cause,
  })

export const cannotListen = (address: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_AGENTS_LISTEN',
    message: `The master cannot listen for slaves on ${address}: ${messageOf(cause)}.`,
    details: { address },
    hint: 'Check port and interface in agents({ port }).',
    cause,
  })

export const certificateUnreadable = (file: string, cause: unknown) =>
  new CiError({
    code: 'BOLT_AGENTS_CERTIFICATE',
    message: `The certificate or key "${file}" cannot be used: ${messageOf(cause)}.`,
    details: { file },
    hint: 'Give PEM files that the master may read in agents({ tls: { certFile, keyFile } }).',
    cause,
  })
