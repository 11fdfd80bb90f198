import { X509Certificate } from 'node:crypto'

/**
 * Whether a text is a certificate in PEM, or several that begin with one: not the name of its file.
 * @example isCertificate('/etc/ssl/ca.pem') // false
 */
export function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}
