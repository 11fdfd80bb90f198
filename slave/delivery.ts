import { CHUNK, WINDOW } from '../wire/agent/limits.ts'
import type { AgentMessage, CommandId, CommandResult } from '../wire/agent/messages.ts'
import type { SlaveClock } from './clock.ts'
import type { CommandSpool } from './spool.ts'

/**
 * Brings what a command says to the master, over one link after the other: never more than a window unacknowledged, small pieces
 * gathered for a moment, the result last. What does not go out stays in the spool.
 */
export interface Delivery {
  /** A link is there, and the master has the logs up to these offsets. */
  start(send: Send, offsets: Readonly<Record<string, number>>): void
  /** The link is gone. */
  stop(): void
  /** The spool has grown. */
  grown(log: string): void
  finish(result: CommandResult): void
  acked(log: string, offset: number): void
  /** Sends a file; resolves when the master has it all. */
  upload(source: UploadSource): Promise<void>
  uploadAcked(offset: number): void
  /** Asks for bytes of a file; empty at its end. */
  want(offset: number, length: number): Promise<Uint8Array>
  bytes(offset: number, data: Uint8Array): void
}

export type Send = (message: AgentMessage) => void

export interface UploadSource {
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface DeliveryDeps {
  readonly id: CommandId
  readonly spool: CommandSpool
  readonly clock: SlaveClock
  /** What should be sent cannot be read. */
  readonly failed: (error: unknown) => void
}

/** Where a link stands. */
interface Progress {
  readonly send: Send
  readonly sent: Map<string, number>
  readonly acked: Map<string, number>
  uploadSent: number
  uploadAcked: number
  resultSent: boolean
}

const GATHER_MS = 20

export function createDelivery({ id, spool, clock, failed }: DeliveryDeps): Delivery {
  let link: Progress | undefined
  let result: CommandResult | undefined
  let uploading: { readonly source: UploadSource; done(): void } | undefined
  let wanted: { readonly offset: number; readonly length: number; come(data: Uint8Array): void } | undefined
  let gathering: Disposable | undefined
  let lastSent = clock.now()
  let pumping = false
  let again = false

  async function pump(): Promise<void> {
    gathering?.[Symbol.dispose]()
    gathering = undefined
    again = true
    if (pumping) return
    pumping = true
    try {
      while (again && link) {
        again = false
        await pass(link)
      }
    } catch (error) {
      failed(error)
    } finally {
      pumping = false
    }
  }

  /** Sends all that may go out now. */
  async function pass(mine: Progress): Promise<void> {
    for (const log of spool.logs) {
      for (;;) {
        const sent = mine.sent.get(log) ?? 0
        const room = WINDOW - (sent - (mine.acked.get(log) ?? 0))
        if (sent >= spool.length(log) || room <= 0) break
        const reading = spool.read(log, sent, Math.min(CHUNK, room))
        const { stream, data } = reading instanceof Promise ? await reading : reading
        if (link !== mine) return
        mine.send({ t: 'output', id, log, stream, offset: sent, data })
        lastSent = clock.now()
        mine.sent.set(log, sent + data.length)
      }
    }
    while (uploading && mine.uploadSent < uploading.source.size && mine.uploadSent - mine.uploadAcked < WINDOW) {
      const data = await uploading.source.read(mine.uploadSent, CHUNK)
      if (link !== mine) return
      if (data.length === 0) throw new Error('the file became shorter while it was sent')
      mine.send({ t: 'upload', id, offset: mine.uploadSent, data })
      mine.uploadSent += data.length
    }
    if (result === undefined || mine.resultSent || again) return
    if (spool.logs.some((log) => (mine.sent.get(log) ?? 0) < spool.length(log))) return
    mine.resultSent = true
    mine.send({ t: 'result', id, result })
  }

  return {
    start(send, offsets) {
      const known = Object.entries(offsets)
      link = { send, sent: new Map(known), acked: new Map(known), uploadSent: 0, uploadAcked: 0, resultSent: false }
      if (wanted) send({ t: 'want', id, offset: wanted.offset, length: wanted.length })
      void pump()
    },
    stop() {
      link = undefined
      gathering?.[Symbol.dispose]()
      gathering = undefined
    },
    grown(log) {
      if (link === undefined) return
      if (spool.length(log) - (link.sent.get(log) ?? 0) >= CHUNK || clock.now() - lastSent >= GATHER_MS) void pump()
      else gathering ??= clock.timer(GATHER_MS, () => void pump())
    },
    finish(value) {
      result = value
      void pump()
    },
    acked(log, offset) {
      if (link === undefined || offset <= (link.acked.get(log) ?? 0)) return
      link.acked.set(log, offset)
      void pump()
    },
    upload(source) {
      const { promise, resolve } = Promise.withResolvers<void>()
      uploading = { source, done: resolve }
      if (source.size === 0) resolve()
      void pump()
      return promise.finally(() => {
        uploading = undefined
      })
    },
    uploadAcked(offset) {
      if (link === undefined || uploading === undefined) return
      link.uploadAcked = offset
      if (offset >= uploading.source.size) uploading.done()
      else void pump()
    },
    want(offset, length) {
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      wanted = { offset, length, come: resolve }
      link?.send({ t: 'want', id, offset, length })
      return promise
    },
    bytes(offset, data) {
      if (wanted?.offset !== offset) return
      const { come } = wanted
      wanted = undefined
      come(data)
    },
  }
}
