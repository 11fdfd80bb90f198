/** Where a store in PostgreSQL is, and who asks. */
export interface PostgresPlace {
  /** `postgres://ci@db.example.org/boltbot`, without a password. */
  readonly url: string
  readonly password: string | null
}

/** How people call it: user, server and database. */
export function nameOf({ url }: PostgresPlace): string {
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}
