import { X509Certificate } from 'node:crypto'
import { type Finding, messageOf } from 'boltbot/plugin-sdk'

const DAY_MS = 86_400_000
/** Time enough to get a new one. */
const SOON_DAYS = 21

/** How long a certificate is good. */
export function checkCertificate(what: string, certificate: string | Uint8Array, now: number): Finding {
  try {
    const { validFromDate, validToDate, subjectAltName, subject } = new X509Certificate(certificate)
    const name = subjectAltName?.replace(/DNS:/g, '') ?? subject
    const days = Math.floor((validToDate.getTime() - now) / DAY_MS)
    const until = validToDate.toISOString().slice(0, 10)
    if (validFromDate.getTime() > now)
      return {
        what,
        verdict: 'fail',
        text: `The certificate of ${name} is good from ${validFromDate.toISOString()} on.`,
        cure: 'Look at the clock of this machine.',
      }
    if (days < 0)
      return { what, verdict: 'fail', text: `The certificate of ${name} expired on ${until}.`, cure: 'Get a new one.' }
    if (days < SOON_DAYS)
      return {
        what,
        verdict: 'warn',
        text: `The certificate of ${name} expires on ${until}, in ${days} days.`,
        cure: 'Get a new one.',
      }
    return { what, verdict: 'ok', text: `The certificate of ${name} is good until ${until}.` }
  } catch (error) {
    return {
      what,
      verdict: 'fail',
      text: `The certificate cannot be read: ${messageOf(error)}.`,
      cure: 'Give one in PEM.',
    }
  }
}
