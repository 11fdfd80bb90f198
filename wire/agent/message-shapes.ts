import { anyCommand } from './command-shape.ts'
import { CHUNK } from './limits.ts'
import type { AgentMessage, MasterMessage } from './messages.ts'
import {
  amount,
  anything,
  bytes,
  count,
  fields,
  integer,
  listOf,
  mapOf,
  maybe,
  oneOf,
  orNull,
  type Shape,
  text,
} from './shape.ts'

const NONCE = 32
const id = fields({ build: count, epoch: count, step: count, index: count })
const log = text(200)
const reason = text(4000)
const name = text(200)
const nonce: Shape = (value) => (value instanceof Uint8Array && value.length === NONCE ? undefined : `${NONCE} bytes`)
const held: Shape = (value) =>
  fields({ id, lengths: maybe(mapOf(count, 1000)) })(value) ??
  (typeof (value as { running?: unknown }).running === 'boolean' ? undefined : 'true or false')
const ping = fields({ n: count })
const piece = bytes(CHUNK * 8)

/** What each message of an agent must look like. */
export const AGENT_SHAPES: Readonly<Record<AgentMessage['t'], Shape>> = {
  hello: fields({ version: count, name, nonce }),
  proof: fields({ proof: nonce }),
  ready: fields({
    admin: orNull(reason),
    host: orNull(reason),
    program: orNull(name),
    keepalive: amount,
    held: listOf(held, 10_000),
    instance: maybe(name),
  }),
  done: fields({ request: count, error: orNull(reason) }),
  output: fields({ id, log, stream: oneOf('stdout', 'stderr', 'header'), offset: count, data: piece }),
  upload: fields({ id, offset: count, data: piece }),
  want: fields({ id, offset: count, length: count }),
  result: fields({
    id,
    result: fields({
      exitCode: orNull(integer),
      signal: orNull(name),
      cause: oneOf('exit', 'timeout', 'maxTime', 'interrupted', 'error'),
      error: orNull(text(64 * 1024)),
      elapsed: amount,
      data: anything,
    }),
  }),
  unknown: fields({ id }),
  leave: fields({ reason }),
  ping,
  pong: ping,
  bye: fields({ reason }),
}

/** What each message of a master must look like. */
export const MASTER_SHAPES: Readonly<Record<MasterMessage['t'], Shape>> = {
  challenge: fields({ version: count, nonce }),
  welcome: fields({ proof: nonce }),
  builders: fields({ request: count, builders: listOf(fields({ name, directory: name }), 10_000) }),
  run: fields({ id, builder: name, command: anyCommand }),
  resume: fields({
    id,
    offsets: mapOf(count, 1000),
    digest: maybe(name),
    streams: maybe(mapOf(mapOf(count, 3), 1000)),
  }),
  forget: fields({ id }),
  interrupt: fields({ id, reason }),
  ack: fields({ id, log, offset: count }),
  uploadAck: fields({ id, offset: count }),
  bytes: fields({ id, offset: count, data: piece }),
  shutdown: fields({ request: count }),
  ping,
  pong: ping,
  bye: fields({ reason }),
}
