import { decode, encode } from '@msgpack/msgpack'
import { ProtocolError } from '../protocol-error.ts'
import { scan } from './scan.ts'

/** Data as Buildbot's msgpack protocol carries it: text and bytes are different, maps have texts as keys. */
export type Packed =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Packed[]
  | { readonly [key: string]: Packed | undefined }

export type PackedMap = { readonly [key: string]: Packed | undefined }

export const isPackedMap = (value: Packed | undefined): value is PackedMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

export type Message = { readonly [key: string]: Packed | undefined } & {
  readonly op: string
  readonly seq_number: number
}

/** Bytes of one message: the real worker sends what it has gathered at once. */
export const MAX_MESSAGE = 32 * 1024 * 1024
const MAX_DEPTH = 32

export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  return encode(message, { ignoreUndefined: true, maxDepth: MAX_DEPTH })
}

/** `undefined` when it lacks what every message has: the real programs pass over such. @throws ProtocolError when it is no MessagePack. */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  scan(bytes, MAX_DEPTH)
  let value: unknown
  try {
    value = decode(bytes)
  } catch (error) {
    throw new ProtocolError(`The message cannot be decoded: ${(error as Error).message}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { op, seq_number } = value as Readonly<Record<string, unknown>>
  return typeof op === 'string' && Number.isSafeInteger(seq_number) ? (value as Message) : undefined
}
