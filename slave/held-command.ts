import type { CommandId, CommandResult, StreamCounts } from '../wire/agent/messages.ts'
import type { SlaveClock } from './clock.ts'
import type { CommandContext, Ending } from './commands/context.ts'
import { createDelivery, type Delivery, type Send } from './delivery.ts'
import type { SlaveLog } from './log.ts'
import { reasonOf } from './problem.ts'
import type { CommandSpool } from './spool.ts'

/**
 * A command that the agent has: running, or finished and not yet forgotten by the master. It is *running* → *finished* → gone;
 * a link may come and go at any time.
 */
export interface HeldCommand {
  readonly id: CommandId
  readonly running: boolean
  /** Of what it was asked to do; `undefined`: not known any more. */
  readonly digest: string | undefined
  /** Bytes it has of each log. */
  readonly lengths: Readonly<Record<string, number>>
  /** The offsets, without those whose bytes before them are not so many of each stream. */
  agreed(offsets: Readonly<Record<string, number>>, streams: StreamCounts): Readonly<Record<string, number>>
  /** Brings it to the master, see there. */
  readonly delivery: Omit<Delivery, 'start' | 'stop'>
  /** A link is there, and the master has the logs up to these offsets. */
  link(send: Send, offsets: Readonly<Record<string, number>>): void
  /** The link is gone. */
  unlink(): void
  /** Ends it, if it runs. */
  end(ending: Ending): void
  /** Puts what is finished on the disk and lets go of it; for the end of the agent. */
  close(): Promise<void>
  /** Ends it and drops all that was kept of it. */
  remove(): Promise<void>
  /** Resolves when it no longer runs. */
  readonly finished: Promise<void>
}

export interface HeldCommandDeps {
  readonly id: CommandId
  readonly digest: string
  readonly clock: SlaveClock
  readonly log: SlaveLog
  readonly spool: (failed: (reason: string) => void) => CommandSpool
  /** Does the work; never rejects. */
  readonly run: (io: Pick<CommandContext, 'signal' | 'output' | 'upload' | 'want'>) => Promise<CommandResult>
}

/** Results that the master does not take at once are put on the disk after this time. */
const PERSIST_MS = 1000
const LOG = 'stdio'

export function startCommand({ id, digest, clock, log, spool: makeSpool, run }: HeldCommandDeps): HeldCommand {
  const abort = new AbortController()
  const end = (ending: Ending) => abort.abort(ending)
  const spool = makeSpool((reason) => {
    log.error('output not kept', { command: id, reason })
    end({ cause: 'error', reason })
  })
  const delivery = createDelivery({
    id,
    spool,
    clock,
    failed(error) {
      log.error('output not sent', { command: id, error })
      end({ cause: 'error', reason: `What was kept for the master cannot be read: ${reasonOf(error)}.` })
    },
  })
  let result: CommandResult | undefined
  let removed = false
  let linked = true
  let persisting: Disposable | undefined

  const persist = async () => {
    if (result === undefined || removed) return
    try {
      await spool.persist(result)
    } catch (error) {
      log.warn('result not kept on disk', { command: id, error })
    }
  }

  try {
    spool.begin()
  } catch (error) {
    log.error('command not noted', { command: id, error })
  }
  const io: Parameters<typeof run>[0] = {
    signal: abort.signal,
    output(stream, data) {
      if (removed) return undefined
      const wait = spool.append(LOG, stream, data)
      delivery.grown(LOG)
      return wait
    },
    upload: delivery.upload,
    want: delivery.want,
  }
  // Not at once: the link it was asked for over is joined first, so that its first words are gathered.
  const running = Promise.resolve().then(() => run(io))
  const finished = running.then(async (value) => {
    result = value
    delivery.finish(value)
    if (removed) await spool.remove()
    else if (linked) persisting = clock.timer(PERSIST_MS, () => void persist())
    else await persist()
  })

  return {
    id,
    digest,
    get running() {
      return result === undefined
    },
    get lengths() {
      return lengthsOf(spool)
    },
    agreed: (offsets, streams) => agreedWith(spool, offsets, streams),
    delivery,
    link(send, offsets) {
      linked = true
      delivery.start(send, offsets)
    },
    unlink() {
      linked = false
      delivery.stop()
      void persist()
    },
    end,
    async close() {
      await persist()
      await spool.close()
    },
    async remove() {
      if (removed) return
      removed = true
      persisting?.[Symbol.dispose]()
      delivery.stop()
      if (result === undefined) end({ cause: 'interrupted', reason: 'stopped: the master does not want it any more' })
      await finished
      await spool.remove()
    },
    finished,
  }
}

/** A command of an earlier run of the agent, with its result. */
export function finishedCommand(
  id: CommandId,
  result: CommandResult,
  digest: string | undefined,
  spool: CommandSpool,
  deps: Pick<HeldCommandDeps, 'clock' | 'log'>,
): HeldCommand {
  const { clock, log } = deps
  const failed = (error: unknown) => log.error('output not sent', { command: id, error })
  const delivery = createDelivery({ id, spool, clock, failed })
  delivery.finish(result)
  return {
    id,
    digest,
    running: false,
    lengths: lengthsOf(spool),
    agreed: (offsets, streams) => agreedWith(spool, offsets, streams),
    delivery,
    link: delivery.start,
    unlink: () => delivery.stop(),
    end() {},
    close: () => spool.close(),
    remove: () => spool.remove(),
    finished: Promise.resolve(),
  }
}

const lengthsOf = ({ logs, length }: CommandSpool) => Object.fromEntries(logs.map((log) => [log, length(log)]))

function agreedWith(spool: CommandSpool, offsets: Readonly<Record<string, number>>, streams: StreamCounts) {
  const fits = ([log, offset]: [string, number]) => {
    const mine = spool.countsBefore(log, offset)
    const told = streams[log] ?? {}
    return mine !== undefined && STREAMS.every((stream) => (mine[stream] ?? 0) === (told[stream] ?? 0))
  }
  return Object.fromEntries(Object.entries(offsets).filter(fits))
}

const STREAMS = ['stdout', 'stderr', 'header'] as const
