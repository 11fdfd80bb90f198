import { checkServerIdentity } from 'node:tls'
import { type Doctor, type Finding, messageOf } from 'boltbot/plugin-sdk'
import { createTransport } from 'nodemailer'
import type { Connection } from './options.ts'

/** Connects and logs in as a mail would, sends none, and looks at the server's certificate. */
export async function examineServer(doctor: Doctor, options: Connection): Promise<readonly Finding[]> {
  const { relayhost: host, smtpPort: port, smtpUser: user, smtpPassword, tls, tlsCa } = options
  const what = `mail server ${host}:${port}`
  let certificate: Uint8Array | undefined
  const transport = createTransport({
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port,
    secure: tls === 'smtps',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: {
      rejectUnauthorized: tls !== 'opportunistic',
      ...(tlsCa !== undefined && { ca: tlsCa }),
      checkServerIdentity(name, given) {
        certificate = given.raw
        return checkServerIdentity(name, given)
      },
    },
    ...(user !== undefined && { auth: { user, pass: smtpPassword ? doctor.secrets.resolve(smtpPassword) : '' } }),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 10_000,
  })
  try {
    await transport.verify()
    const login = user === undefined ? 'It answers.' : `It answers, and lets "${user}" in.`
    const open: Finding = { what, verdict: 'ok', text: `${login}${tls === 'none' ? ' Nothing is encrypted.' : ''}` }
    return certificate === undefined ? [open] : [open, doctor.certificate(what, certificate)]
  } catch (error) {
    const cure = 'Look at relayhost, smtpPort, smtpUser, smtpPassword and tls.'
    return [{ what, verdict: 'fail', text: `It cannot be used: ${messageOf(error).replace(/\.$/, '')}.`, cure }]
  } finally {
    transport.close()
  }
}
