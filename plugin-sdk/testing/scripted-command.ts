import type { Clock } from '../clock.ts'
import type { Command, CommandId, CommandIo, CommandResult, Stream } from '../command.ts'
import type { ResumeCheck } from '../slave-transport.ts'
import { completeResult, type ScriptedAnswer, type ScriptedResult } from './scripted-answers.ts'

/** One command on a scripted slave: it lives on when the link does not, with all it printed. */
export interface RunningCommand {
  readonly id: CommandId
  readonly running: boolean
  /** Hands all that was printed and will be to `io`, from the offsets on, and resolves with the result after the last byte. */
  follow(io: CommandIo, offsets: Readonly<Record<string, number>>): Promise<CommandResult>
  /** Bytes it has printed, by log. */
  lengths(): Readonly<Record<string, number>>
  /** The offsets, without those that another master process counts otherwise. */
  agreed(offsets: Readonly<Record<string, number>>, check: ResumeCheck): Readonly<Record<string, number>>
  /** The link is gone: what is printed now waits for the next `follow`. */
  unfollow(reason: unknown): void
  interrupt(reason: string): void
  /** Ends a hanging command. */
  finish(result: ScriptedResult | undefined): void
}

export interface RunningCommandInput {
  readonly id: CommandId
  readonly builder: string
  readonly command: Command
  readonly answer: ScriptedAnswer
  readonly clock: Pick<Clock, 'now'>
  readonly drop: (reason: string) => void
  /** Bytes of a download, as they came. */
  readonly took: (data: Uint8Array) => void
}

export function startCommand(input: RunningCommandInput): RunningCommand {
  const { id, builder, command, answer, clock } = input
  const startedAt = clock.now()
  const ending = new AbortController()
  const done = Promise.withResolvers<CommandResult>()
  done.promise.catch(() => {}) // a follower reports it
  const told = Promise.withResolvers<ScriptedResult | undefined>()
  const pieces: Piece[] = []
  const lengths = new Map<string, number>()
  let running = true
  let link: Link | undefined

  // One hand-over at a time, in order: offsets count up from what the follower said it has.
  const deliver = (to: Link, piece: Piece): Promise<void> => {
    const have = to.offsets[piece.log] ?? 0
    if (piece.offset + piece.data.length <= have) return to.queue
    const skip = Math.max(0, have - piece.offset)
    to.queue = to.queue.then(async () => {
      if (to.gone) return
      await to.io.output(piece.log, piece.stream, piece.offset + skip, piece.data.subarray(skip))
    })
    to.queue.catch(() => {}) // `follow` races with it
    return to.queue
  }
  const print: PrintTo = async (data, { log = 'stdio', stream = 'stdout' } = {}) => {
    const bytes = bytesOf(data)
    const offset = lengths.get(log) ?? 0
    const piece = { log, stream, offset, data: bytes }
    lengths.set(log, offset + bytes.length)
    pieces.push(piece)
    if (link) await Promise.race([deliver(link, piece), link.lost.promise.catch(() => {})])
  }

  const act = async (): Promise<CommandResult> => {
    const output = typeof answer.output === 'string' ? [answer.output] : (answer.output ?? [])
    for (const item of output) await (typeof item === 'string' ? print(item) : print(item.data, item))
    if (command.kind === 'upload' && link?.io.receive) await link.io.receive(0, bytesOf(answer.upload ?? ''))
    if (command.kind === 'download' && link?.io.provide) await takeIn(link.io, input.took)
    const { signal } = ending
    const given = await answer.run?.({
      id,
      builder,
      command,
      signal,
      print,
      drop: (why) => input.drop(why ?? 'dropped'),
    })
    if (answer.drop) input.drop(answer.drop === true ? 'dropped by the script' : answer.drop)
    const told = answer.hang ? await hung() : undefined
    if (answer.throws !== undefined) throw answer.throws
    const ended = told ?? given ?? (ending.signal.aborted ? INTERRUPTED : answer.result)
    return completeResult(ended as ScriptedResult | undefined, clock.now() - startedAt) // `void` of run is undefined here
  }
  const hung = (): Promise<ScriptedResult | undefined> => {
    if (ending.signal.aborted) return Promise.resolve(INTERRUPTED)
    ending.signal.addEventListener('abort', () => told.resolve(INTERRUPTED), { once: true })
    return told.promise
  }

  // The first follower must be there before the script begins.
  void Promise.resolve()
    .then(act)
    .then(done.resolve, done.reject)
    .finally(() => {
      running = false
    })

  return {
    id,
    get running() {
      return running
    },
    async follow(io, offsets) {
      const mine: Link = { io, offsets, gone: false, queue: Promise.resolve(), lost: Promise.withResolvers<never>() }
      mine.lost.promise.catch(() => {}) // nobody may be waiting on it
      link = mine
      for (const piece of pieces) void deliver(mine, piece)
      const result = await Promise.race([done.promise, mine.lost.promise])
      await Promise.race([mine.queue, mine.lost.promise])
      return result
    },
    lengths: () => Object.fromEntries(lengths),
    agreed(offsets, { streams }) {
      const fits = ([log, offset]: [string, number]) => {
        const counts: Record<string, number> = {}
        for (const piece of pieces.filter((one) => one.log === log)) {
          const before = Math.min(piece.data.length, Math.max(0, offset - piece.offset))
          if (before > 0) counts[piece.stream] = (counts[piece.stream] ?? 0) + before
        }
        const told = Object.entries(streams[log] ?? {}).filter(([, count]) => count > 0)
        return told.length === Object.keys(counts).length && told.every(([stream, count]) => counts[stream] === count)
      }
      return Object.fromEntries(Object.entries(offsets).filter(fits))
    },
    unfollow(reason) {
      if (!link) return
      link.gone = true
      link.lost.reject(reason)
      link = undefined
    },
    interrupt(reason) {
      if (!answer.deaf) ending.abort(reason)
    },
    finish: (result) => told.resolve(result ?? answer.result ?? 0),
  }
}

const INTERRUPTED: ScriptedResult = { exitCode: null, signal: 'SIGTERM', cause: 'interrupted' }

interface Piece {
  readonly log: string
  readonly stream: Stream
  readonly offset: number
  readonly data: Uint8Array
}
interface Link {
  readonly io: CommandIo
  readonly offsets: Readonly<Record<string, number>>
  readonly lost: PromiseWithResolvers<never>
  gone: boolean
  queue: Promise<void>
}
type PrintTo = (data: string | Uint8Array, to?: { readonly log?: string; readonly stream?: Stream }) => Promise<void>

async function takeIn(io: CommandIo, took: (data: Uint8Array) => void): Promise<void> {
  for (let offset = 0; ; ) {
    const data = await io.provide!(offset, 65_536)
    if (data.length === 0) return
    took(data)
    offset += data.length
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data
}
