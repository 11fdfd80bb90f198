import { repoPassword } from '../errors.ts'

export interface RepoAddress {
  /** Without user and password when there are both. */
  readonly repourl: string
  readonly login: { readonly username: string; readonly password: string } | undefined
}

/** Takes the password out of an address as it was typed, so that it stands in no config, command line or message. @throws CiError `BOLT_CLI_REPO_PASSWORD`. */
export function parseRepoAddress(given: string): RepoAddress {
  const [, scheme = '', user = '', password, rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)([^/@:]*)(?::([^/]*))?@(.*)$/i.exec(given) ?? []
  const isWeb = /^https?:/i.test(scheme)
  if (password === undefined) {
    if (isWeb && looksLikeToken(user)) throw repoPassword(scheme + rest)
    return { repourl: given, login: undefined }
  }
  if (!isWeb || user === '' || password === '') throw repoPassword(scheme + rest)
  return { repourl: scheme + rest, login: { username: decoded(user), password: decoded(password) } }
}

/** Some servers take one in place of a user. */
const looksLikeToken = (user: string) => /^[\w-]{16,}$/.test(user)

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // it has a "%" of its own
  }
}
