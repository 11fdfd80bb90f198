import type { LogFields } from 'boltbot/plugin-sdk'
import { cloneable, packError, unpackError, type WireError } from './wire-error.ts'

const ERROR = 'boltbot.error'

/** Fields of a log line as they go between threads: errors stay errors. */
export function packFields(fields: LogFields): LogFields {
  const packed = Object.entries(fields).map(([key, value]) => [
    key,
    value instanceof Error ? { [ERROR]: packError(value) } : cloneable(value),
  ])
  return Object.fromEntries(packed)
}

export function unpackFields(fields: LogFields): LogFields {
  const unpacked = Object.entries(fields).map(([key, value]) => [
    key,
    isPacked(value) ? unpackError(value[ERROR]) : value,
  ])
  return Object.fromEntries(unpacked)
}

function isPacked(value: unknown): value is { readonly [ERROR]: WireError } {
  return typeof value === 'object' && value !== null && ERROR in value
}
