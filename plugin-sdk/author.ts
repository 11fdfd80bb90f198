/** An author as two parts. */
export interface Author {
  /** `Jane Doe`; for a bare address what stands before the `@`. */
  readonly name: string
  /** `null`: there is none that a mail server would take. */
  readonly address: string | null
}

/**
 * Takes the `who` of a change apart, which strangers typed: `Jane Doe <jane@example.org>`, `jane@example.org (Jane Doe)`,
 * `jane@example.org`, `jane`. Nothing that could be more than one address comes out as one.
 * @example parseAuthor('Jane Doe <jane@example.org>') // { name: 'Jane Doe', address: 'jane@example.org' }
 */
export function parseAuthor(who: string): Author {
  const text = who.replace(/\p{Cc}+/gu, ' ').trim()
  const [, before, inside] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? []
  const [, bare, comment] = /^(\S+@\S+)\s+\(([^()]*)\)$/.exec(text) ?? []
  const written = (inside ?? bare ?? text).trim()
  const address = /\p{Cc}/u.test(who) || !isAddress(written) ? null : written
  const name = (before ?? comment ?? '').trim().replace(/^"(.*)"$/, '$1')
  if (name !== '') return { name, address }
  return { name: address === null ? written || text : written.slice(0, written.lastIndexOf('@')), address }
}

/** One address part as mail servers take it unquoted. */
const ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const DOMAIN = /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/

function isAddress(text: string): boolean {
  const at = text.lastIndexOf('@')
  return at !== -1 && ATOM.test(text.slice(0, at)) && DOMAIN.test(text.slice(at + 1))
}
