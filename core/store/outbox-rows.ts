import type { Notice, Recipient, Urgency } from 'boltbot/plugin-sdk'
import type { OutboxTable } from './tables.ts'

/** A notice with its defaults. */
export interface OutboxNotice extends Omit<Notice, 'to' | 'urgency' | 'group'> {
  readonly urgency: Urgency
  readonly to: readonly { readonly recipient: string; readonly schemes: readonly [string, ...string[]] }[]
}

/** What a message is made of beside its subject. */
export type OutboxBody = Pick<Notice, 'text' | 'html' | 'attachments' | 'extra'>

/** Which waiting messages one carrier takes. */
export interface Lane {
  readonly scheme: string
  /** `only`: those of this plugin; `but`: those of all others than these. */
  readonly sources: { readonly only: string } | { readonly but: readonly string[] }
}

export interface Due {
  readonly id: number
  readonly recipient: string
}

/** The name of a recipient in the outbox: `person:jane`, `mail:jane@example.org`. */
export function recipientKey(recipient: Recipient): string {
  return 'who' in recipient ? `person:${recipient.who}` : `${recipient.scheme}:${recipient.address}`
}

/** A row before its first try. */
export const NEW_ROW = {
  state: 'waiting',
  attempts: 0,
  not_before: 0,
  address: null,
  held: 0,
  in_doubt: 0,
  digest_id: null,
  is_digest: 0,
  error: null,
  tried_at: null,
  finished_at: null,
} as const satisfies Partial<OutboxTable>
