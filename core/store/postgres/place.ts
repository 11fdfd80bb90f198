import type { Secrets } from 'boltbot/plugin-sdk'
import type { StoreSpec } from '../../config/model.ts'

/** Where a store in PostgreSQL is, and who asks. */
export interface PostgresPlace {
  /** `postgres://ci@db.example.org/boltbot`, without a password. */
  readonly url: string
  readonly password: string | null
}

/** @throws CiError when its password is a secret that cannot be read. */
export function placeOf({ postgres, password }: StoreSpec, secrets: Secrets): PostgresPlace {
  return { url: postgres, password: password === null ? null : secrets.resolve(password) }
}

/** How people call it: user, server and database. */
export function nameOf({ url }: PostgresPlace): string {
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}
