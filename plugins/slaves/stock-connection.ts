import type { Clock, Command, CommandId, CommandIo, CommandResult, SlaveConnection } from 'boltbot/plugin-sdk'
import { linkLost, notResumable } from './errors.ts'
import type { StockLink } from './stock-link.ts'
import { BadPath, ordersOf, type StockOrder } from './stock-orders.ts'
import { createOutcome, type Offsets } from './stock-outcome.ts'
import type { PathStyle } from './stock-paths.ts'

export interface StockConnection extends SlaveConnection {
  /** The worker asks to be let go. */
  leave(reason: string): void
}

/** What is known of a command while it runs. */
interface Running {
  interrupted: boolean
  /** Of the order that runs now. */
  interrupt(reason: string): void
  deadline?: Disposable
}

/** A worker that does not end what it was asked to end is as good as gone. */
const INTERRUPT_MS = 60_000

/** A stock worker as core sees it. It kills its commands when the link breaks. */
export function createStockConnection(link: StockLink, clock: Clock): StockConnection {
  const { slave, info } = link
  const running = new Map<string, Running>()
  const leaving = Promise.withResolvers<string>()
  let lostBecause: string | undefined
  let flawToldIn = -1
  void link.closed.then((reason) => {
    lostBecause = reason
  })

  async function run(id: CommandId, builder: string, command: Command, io: CommandIo): Promise<CommandResult> {
    if (lostBecause !== undefined) throw linkLost(slave, lostBecause)
    const orders = ordersOrProblem(command, info.style)
    if (typeof orders === 'string') return { ...NOTHING, cause: 'error', error: orders }
    const offsets: Offsets = new Map()
    const mine: Running = { interrupted: false, interrupt: () => {} }
    running.set(keyOf(id), mine)
    try {
      await tellFlaw(id, command, io, offsets)
      let result: CommandResult = { ...NOTHING, exitCode: 0 }
      for (const order of orders) {
        if (mine.interrupted) return { ...NOTHING, cause: 'interrupted' }
        result = await runOrder(order, builder, io, offsets, mine)
        if (result.cause !== 'exit') break
      }
      return result
    } finally {
      running.delete(keyOf(id))
      mine.deadline?.[Symbol.dispose]()
    }
  }

  async function runOrder(order: StockOrder, builder: string, io: CommandIo, offsets: Offsets, mine: Running) {
    const began = clock.now()
    const outcome = createOutcome(order, io, offsets)
    using started = link.start(builder, order, io, outcome)
    mine.interrupt = (reason) => {
      outcome.interrupted()
      started.interrupt(reason)
    }
    return await outcome.finish(await started.done, clock.now() - began)
  }

  function interrupt(id: CommandId, reason: string): void {
    const command = running.get(keyOf(id))
    if (command === undefined || command.interrupted) return
    command.interrupted = true
    command.interrupt(reason)
    command.deadline = clock.timer(INTERRUPT_MS, () => link.close('it does not end a command it was asked to end'))
  }

  /** What stock workers lose is said in the log of each build, once. */
  async function tellFlaw(id: CommandId, command: Command, io: CommandIo, offsets: Offsets): Promise<void> {
    if (link.flaw === null || command.kind !== 'shell' || flawToldIn === id.build) return
    flawToldIn = id.build
    const text = Buffer.from(`Worker ${info.version ?? 'of unknown version'}: ${link.flaw}.\n`)
    offsets.set('stdio', text.length)
    await io.output('stdio', 'header', 0, text)
  }

  return {
    slave,
    peer: link.peer,
    info: { admin: info.admin, host: info.host, version: info.version, resumable: false },
    held: [],
    closed: link.closed,
    leaving: leaving.promise,
    leave: leaving.resolve,
    lastHeard: () => link.lastHeard(),
    async ping(signal) {
      signal.throwIfAborted()
      const aborted = Promise.withResolvers<never>()
      const abort = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', abort)
      const pong = link.ping()
      pong.catch(() => {}) // the race may be over
      try {
        await Promise.race([pong, aborted.promise])
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    setBuilders: (builders) => link.setBuilders(builders),
    startBuild: (builder) => link.startBuild(builder),
    run,
    async resume() {
      throw notResumable(slave)
    },
    forget: (id) => interrupt(id, 'its result is not wanted any more'),
    interrupt,
    async shutdown() {
      try {
        await link.shutdown()
        await link.closed
      } catch (error) {
        if (lostBecause === undefined) throw error // a link lost in answer is what was asked for
      }
    },
    close: (reason) => link.close(reason),
  }
}

const NOTHING: CommandResult = { exitCode: null, signal: null, cause: 'exit', error: null, elapsed: 0, data: null }

const keyOf = (id: CommandId) => `${id.build}.${id.epoch}.${id.step}.${id.index}`

function ordersOrProblem(command: Command, style: PathStyle): readonly StockOrder[] | string {
  try {
    return ordersOf(command, style)
  } catch (error) {
    if (error instanceof BadPath) return error.message
    throw error
  }
}

const ANSWER_MS = 60_000

/** Finds links that are dead without having been closed, also while nothing is built. */
export function keepAlive(link: StockLink, clock: Clock, interval: number): void {
  let timer: Disposable | undefined
  const next = () => {
    timer = clock.timer(interval, () => {
      const asked = clock.now()
      link.ping().catch(() => {}) // a lost link ends this by itself
      timer = clock.timer(ANSWER_MS, () => {
        if (link.lastHeard() < asked) link.close('it gave no sign of life')
        else next()
      })
    })
  }
  next()
  void link.closed.then(() => timer?.[Symbol.dispose]())
}
