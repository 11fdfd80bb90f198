/** A mail address and the name shown with it. */
export interface Address {
  readonly name: string
  readonly address: string
}

const ATOM = String.raw`[\w!#$%&'*+/=?^\x60{|}~-]+`
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
const PLAIN = new RegExp(`^${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})*$`)

/**
 * True for one address such as `jane@example.org`, and for nothing a mail server could read as more: no quotes, brackets, commas,
 * spaces or line ends.
 */
export function isAddress(text: string): boolean {
  return text.length <= 254 && PLAIN.test(text)
}

/** `Jane Doe <jane@example.org>` or `jane@example.org`; `undefined` for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, name, inside] = /^\s*("[^"<>]*"|[^"<>,]*?)\s*<([^<>]*)>\s*$/.exec(text) ?? []
  const address = (inside ?? text).trim()
  if (!isAddress(address) || /\p{Cc}/u.test(text)) return undefined
  return { name: (name ?? '').replace(/^"|"$/g, '').trim(), address }
}

/** Each address once: domains do not mind case, and mailboxes that do are not met. */
export function unique(addresses: readonly string[]): readonly string[] {
  return [...new Map(addresses.map((address) => [address.toLowerCase(), address])).values()]
}
