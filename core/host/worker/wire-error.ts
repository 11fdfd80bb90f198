import { CiError, messageOf } from 'boltbot/plugin-sdk'

/** An error as it goes between threads: a `CiError` is one on the other side too. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Of a `CiError` only. */
  readonly code?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly hint?: string | undefined
  readonly cause?: WireError
}

/** Whatever was thrown, as data. Never throws. */
export function packError(thrown: unknown): WireError {
  try {
    return pack(thrown, 0)
  } catch {
    return { name: 'Error', message: messageOf(thrown), stack: undefined } // it throws when it is looked at
  }
}

function pack(thrown: unknown, depth: number): WireError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: messageOf(thrown), stack: undefined }
  const { name, message, stack, cause } = thrown
  return {
    name: String(name),
    message: String(message),
    stack: stack === undefined ? undefined : String(stack),
    ...(cause !== undefined && depth < 5 && { cause: pack(cause, depth + 1) }),
    ...(thrown instanceof CiError && { code: thrown.code, hint: thrown.hint, details: cloneable(thrown.details) }),
  }
}

export function unpackError({ name, message, stack, code, details, hint, cause: packed }: WireError): Error {
  const cause = packed && unpackError(packed)
  const error =
    code === undefined
      ? Object.assign(new Error(message, cause && { cause }), { name })
      : new CiError({ code, message, ...(details && { details }), ...(hint !== undefined && { hint }), cause })
  if (stack !== undefined) error.stack = stack
  return error
}

/** Data of any kind, with what cannot go between threads as text. */
export function cloneable<T>(value: T): T {
  try {
    return structuredClone(value)
  } catch {
    if (Array.isArray(value)) return value.map(cloneable) as T
    if (typeof value !== 'object' || value === null) return String(value) as T // functions and symbols
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cloneable(item)])) as T
  }
}
