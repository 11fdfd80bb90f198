import { decode, encode } from '@msgpack/msgpack'
import { scan } from '../msgpack/scan.ts'
import { ProtocolError } from '../protocol-error.ts'
import { MAX_DEPTH, MAX_MESSAGE } from './limits.ts'
import { AGENT_SHAPES, MASTER_SHAPES } from './message-shapes.ts'
import type { AgentMessage, MasterMessage } from './messages.ts'
import { demand, isRecord, type Shape } from './shape.ts'

/** @throws ProtocolError when the message is larger than the other end takes, or nested too deep. */
export function encodeMessage(message: AgentMessage | MasterMessage): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>
  try {
    bytes = 'data' in message ? encodeWithData(message) : encode(message, OPTIONS)
  } catch (error) {
    throw new ProtocolError(`The message "${message.t}" cannot be sent: ${(error as Error).message}.`)
  }
  if (bytes.length > MAX_MESSAGE)
    throw new ProtocolError(`The message "${message.t}" has ${bytes.length} bytes, the limit is ${MAX_MESSAGE}.`)
  return bytes
}

const OPTIONS = { ignoreUndefined: true, maxDepth: MAX_DEPTH } as const
/** The key `data`, and the head of bytes whose length takes four bytes. */
const DATA_HEAD = Uint8Array.of(0xa4, 0x64, 0x61, 0x74, 0x61, 0xc6)

/**
 * Messages full of bytes are most of the traffic: these are copied once, to behind the rest. The encoder would copy them each time
 * it grows, and once more at the end.
 */
function encodeWithData({ data, ...rest }: Extract<AgentMessage | MasterMessage, { readonly data: Uint8Array }>) {
  const head = encode(rest, OPTIONS)
  const dataAt = head.length + DATA_HEAD.length + 4
  const bytes = Buffer.allocUnsafe(dataAt + data.length)
  bytes.set(head)
  bytes[0] = head[0]! + 1 // a map of fewer than 15 fields: its first byte counts them
  bytes.set(DATA_HEAD, head.length)
  bytes.writeUInt32BE(data.length, dataAt - 4)
  bytes.set(data, dataAt)
  return bytes
}

/** A message of an agent. Bytes in it are views of `bytes`. @throws ProtocolError */
export function decodeAgentMessage(bytes: Uint8Array): AgentMessage {
  return decodeMessage(bytes, AGENT_SHAPES) as unknown as AgentMessage // its shape was just checked
}

/** A message of a master; of a command in it only the kind is checked, see `commandProblem`. @throws ProtocolError */
export function decodeMasterMessage(bytes: Uint8Array): MasterMessage {
  return decodeMessage(bytes, MASTER_SHAPES) as unknown as MasterMessage // its shape was just checked
}

function decodeMessage(bytes: Uint8Array, shapes: Readonly<Record<string, Shape>>): Record<string, unknown> {
  if (bytes.length > MAX_MESSAGE)
    throw new ProtocolError(`The message has ${bytes.length} bytes, the limit is ${MAX_MESSAGE}.`)
  scan(bytes, MAX_DEPTH)
  let value: unknown
  try {
    value = decode(bytes)
  } catch (error) {
    throw new ProtocolError(`The message cannot be decoded: ${(error as Error).message}.`)
  }
  if (!isRecord(value) || typeof value.t !== 'string') throw new ProtocolError('The message is not a map with a type.')
  const type = value.t
  const shape = Object.hasOwn(shapes, type) ? shapes[type] : undefined
  if (shape === undefined) throw new ProtocolError(`The message type "${type.slice(0, 40)}" is unknown.`)
  demand(shape, value, `message "${type}"`)
  return value
}
