import { createHash } from 'node:crypto'
import type { Command } from './messages.ts'

/** The same text for the same command, whatever the order of its fields; what is left out and what is null are the same. */
export function digestOf(command: Command): string {
  const text = JSON.stringify(command, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
  return createHash('sha256').update(text).digest('base64url')
}
