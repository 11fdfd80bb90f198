import type { Host } from 'boltbot/plugin-sdk'
import type { Live } from './live.ts'
import type { Paths } from './paths.ts'
import type { Recent } from './recent.ts'

/** What all pages are made of. */
export interface Site {
  readonly host: Host
  readonly recent: Recent
  readonly live: Live
  paths(): Paths
}

/** One look at one page. */
export interface Visit extends Site {
  /** `null`: somebody we do not know, who may only look. */
  readonly user: string | null
  readonly canSignIn: boolean
  readonly now: number
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

/** A whole number of a path or a query; `undefined` when it is none. */
export function numberOf(text: string | null | undefined): number | undefined {
  return text != null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
