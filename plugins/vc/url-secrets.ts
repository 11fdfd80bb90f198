/** The URL as it may be stored and shown: without password, and without the user of a web address, who may be a token. */
export function withoutSecrets(repourl: string): string {
  return repourl.replace(/^(https?:\/\/)[^/]*@/i, '$1').replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/]*@/i, '$1@')
}

/** What nobody may see of an address, also of a CVS root: its password, or the token that stands in place of a user. */
export function secretsIn(address: string): readonly string[] {
  const [, user = '', password] =
    /^[a-z][a-z0-9+.-]*:\/\/([^/@:]*)(?::([^/]*))?@/i.exec(address) ??
    /^:[a-z]+(?:;[^:]*)?:([^:@/]*)(?::([^/]*))?@/i.exec(address) ??
    []
  const secret = password ?? (/^[\w-]{16,}$/.test(user) ? user : '')
  return secret === '' ? [] : [...new Set([secret, decoded(secret)])]
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // it has a "%" of its own
  }
}
