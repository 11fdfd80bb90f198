import { ProtocolError } from '../protocol-error.ts'
import { decodeMessage, encodeMessage, type Message, type Packed } from './envelope.ts'

/** What the other end raised in answer to a call of ours. The message is theirs. */
export class PeerError extends Error {
  override readonly name = 'PeerError'
}

export interface PeerDeps {
  /** Does not throw, also not when the link is gone. */
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void
  /** A call of the other end. What it throws as `PeerError` is told as it is. */
  readonly handle: (message: Message) => Packed | Promise<Packed>
  /** A handler threw something of its own. The other end is told only that it failed. */
  readonly trouble: (op: string, error: unknown) => void
  /** True: calls wait unanswered with so many bytes that no more should be read; false: go on. */
  readonly congested?: (much: boolean) => void
}

/** One end of a link that speaks Buildbot's msgpack protocol; both ends are alike. No sockets, no time. */
export interface Peer {
  /** @throws PeerError; the reason when the link is lost. */
  call(op: string, fields?: Readonly<Record<string, Packed>>): Promise<Packed>
  /** One message. @throws ProtocolError */
  receive(bytes: Uint8Array): void
  lost(error: Error): void
}

const MOST = 10_000
const MUCH = 4 * 1024 * 1024
const LITTLE = 1024 * 1024

export function createPeer({ send, handle, trouble, congested }: PeerDeps): Peer {
  const waiting = new Map<number, { resolve(value: Packed): void; reject(error: Error): void }>()
  let next = 0
  let gone: Error | undefined
  let running = 0
  let waitingBytes = 0
  let isCongested = false

  async function serve(message: Message, bytes: number): Promise<void> {
    running++
    waitingBytes += bytes
    if (!isCongested && waitingBytes >= MUCH) congested?.((isCongested = true))
    const answer = await resultOf(message)
    running--
    waitingBytes -= bytes
    if (isCongested && waitingBytes < LITTLE) congested?.((isCongested = false))
    if (!gone) send(encodeMessage({ op: 'response', seq_number: message.seq_number, ...answer }))
  }

  async function resultOf(message: Message): Promise<Readonly<Record<string, Packed>>> {
    try {
      return { result: await handle(message) }
    } catch (error) {
      if (!(error instanceof PeerError)) trouble(message.op, error)
      return {
        is_exception: true,
        result: error instanceof PeerError ? error.message : 'It failed here; the log says why.',
      }
    }
  }

  function settle(message: Message): void {
    const call = waiting.get(message.seq_number)
    if (call === undefined) throw new ProtocolError('A response came to a call that was not made.')
    waiting.delete(message.seq_number)
    if (Object.hasOwn(message, 'is_exception')) call.reject(new PeerError(String(message.result)))
    else call.resolve(message.result ?? null)
  }

  return {
    call(op, fields = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<Packed>()
      if (gone) reject(gone)
      else {
        const number = next++
        waiting.set(number, { resolve, reject })
        send(encodeMessage({ ...fields, op, seq_number: number }))
      }
      return promise
    },
    receive(bytes) {
      const message = decodeMessage(bytes)
      if (message === undefined || gone) return
      if (message.op === 'response') settle(message)
      else if (running >= MOST) throw new ProtocolError(`More than ${MOST} calls wait for an answer.`)
      else void serve(message, bytes.length)
    },
    lost(error) {
      gone = error
      for (const call of waiting.values()) call.reject(error)
      waiting.clear()
    },
  }
}

/** The text of a field; `''` when it is none. */
export const textIn = (value: Packed | undefined): string => (typeof value === 'string' ? value : '')

export const listIn = (value: Packed | undefined): readonly Packed[] => (Array.isArray(value) ? value : [])
