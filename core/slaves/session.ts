import {
  CiError,
  type Clock,
  type Command,
  type CommandId,
  type CommandIo,
  type CommandResult,
  type HeldCommand,
  hasCode,
  type Log,
  messageOf,
  type ResumeCheck,
  type SlaveConnection,
} from 'boltbot/plugin-sdk'
import { pingTimeout, sessionLost } from '../errors.ts'

/**
 * Stage 11 of the walk: one slave's link as builds see it. Connections come and go; a command goes on over a broken link when the
 * slave keeps it and comes back within the lease.
 *
 * A command is in one of these states, with these exits only:
 * - *sent*: on a live connection. → ended (result) · broken (link lost, the slave is resumable) · lost (link lost, it is not).
 * - *broken*: waits for a connection. → sent (the slave still holds it) · lost (it came back without it, or the lease is over).
 * - *ended*, *lost*: final; `run` resolves or throws `BOLT_SESSION_LOST`.
 */
export interface Session {
  readonly connection: SlaveConnection | undefined
  /** Takes a new connection: held commands of running builds go on, all others are told to be dropped. */
  attach(connection: SlaveConnection): void
  /** The connection is gone. */
  detach(connection: SlaveConnection): void
  /** Resolves when the slave answers; any byte received meanwhile counts. Pings under way are shared. @throws `BOLT_SESSION_PING`. */
  ping(): Promise<void>
  /** It gave a sign of life within the last second: that says as much as an answer to a ping. */
  readonly heardJustNow: boolean
  /**
   * Runs a command to its end. When `signal` aborts the slave is asked to end it, and its result is awaited all the same; not when the
   * master stops and the slave keeps its commands.
   */
  run(
    id: CommandId,
    builder: string,
    command: Command,
    io: CommandIo,
    signal: AbortSignal,
    how?: RunHow,
  ): Promise<CommandResult>
  /**
   * A build of a process before goes on: what the slave holds of it is not dropped when it comes. Disposing drops what is left of it
   * there.
   */
  adopt(build: Pick<CommandId, 'build' | 'epoch'>): Disposable
  /** The result of a command is stored. */
  forget(id: CommandId): void
  /** Nothing comes back any more: what waits for a connection is lost now. */
  close(why: string): void
}

export interface RunHow {
  /** The slave program that keeps the build's commands: without a link it is waited for, as long as the lease. `null`: it keeps none. */
  readonly agent: string | null
  /** The command may have been begun by a process before. */
  readonly begun?: Begun | undefined
}

/** What is stored of a command that a process before may have begun. */
export interface Begun {
  /** True when some of its output is. */
  isStored(): Promise<boolean>
  /** From where on the slave has to send it; `lengths`: what it has. */
  from(lengths: Readonly<Record<string, number>>): Promise<Pick<ResumeCheck, 'streams'> & { readonly offsets: Offsets }>
}

type Offsets = Readonly<Record<string, number>>

export interface SessionDeps {
  readonly slave: string
  readonly clock: Clock
  readonly log: Log
  readonly leaseMs: () => number
}

interface Waiter {
  /** `null`: for any link. */
  readonly key: string | null
  readonly resume: (connection: SlaveConnection) => void
  readonly lost: (why: string) => void
}

const PING_MS = 10_000
const HEARD_MS = 1000
const PING_OVER = 'the ping is over'

export function createSession({ slave, clock, log, leaseMs }: SessionDeps): Session {
  let connection: SlaveConnection | undefined
  /** What the slave of the present connection brought with it. */
  let held: ReadonlyMap<string, HeldCommand> = new Map()
  let pinging: Promise<void> | undefined
  /** Why nothing comes back any more. */
  let over: string | undefined
  /** Commands of running builds, by key: what may go on after a reconnect. */
  const active = new Set<string>()
  const waiters = new Set<Waiter>()
  /** Builds of a process before that go on. */
  const adopted = new Set<string>()

  /** A connection that holds the command again (`null`: any), or the reason why there is none. */
  function reconnected(key: string | null, why: string): Promise<SlaveConnection> {
    if (over !== undefined) return Promise.reject(sessionLost(slave, over))
    const { promise, resolve, reject } = Promise.withResolvers<SlaveConnection>()
    const waiter: Waiter = { key, resume: resolve, lost: (reason) => reject(sessionLost(slave, reason)) }
    waiters.add(waiter)
    // It may be back already: the loss of the old link and the new link are told in any order.
    if (connection !== undefined) serve(waiter, connection)
    const timer = clock.timer(leaseMs(), () => waiter.lost(`${why}, and it did not come back in time`))
    return promise.finally(() => {
      timer[Symbol.dispose]()
      waiters.delete(waiter)
    })
  }

  function serve(waiter: Waiter, link: SlaveConnection): void {
    if (waiter.key === null || held.has(waiter.key)) waiter.resume(link)
    else waiter.lost('it was restarted and has the command no longer')
  }

  async function ping(): Promise<void> {
    const link = connection
    if (link === undefined) throw sessionLost(slave, 'it is not connected')
    const since = clock.now()
    const over = Promise.withResolvers<void>()
    const abort = new AbortController()
    using _timer = clock.timer(PING_MS, () => {
      if (link.lastHeard() > since) over.resolve()
      else over.reject(pingTimeout(slave, PING_MS / 1000))
    })
    try {
      await Promise.race([link.ping(abort.signal), over.promise])
    } finally {
      // A reason of our own: the default one is an exception with a stack, made for every build.
      abort.abort(PING_OVER)
    }
  }

  return {
    get connection() {
      return connection
    },
    attach(next) {
      connection = next
      over = undefined
      held = new Map(next.held.map((command) => [keyOf(command.id), command]))
      for (const { id } of next.held) if (!active.has(keyOf(id)) && !adopted.has(buildOf(id))) next.forget(id)
      for (const waiter of [...waiters]) {
        serve(waiter, next)
      }
    },
    detach(gone) {
      if (connection === gone) connection = undefined
    },
    get heardJustNow() {
      const silence = clock.now() - (connection?.lastHeard() ?? Number.NaN)
      return silence >= 0 && silence < HEARD_MS
    },
    ping() {
      pinging ??= ping().finally(() => {
        pinging = undefined
      })
      return pinging
    },
    async run(id, builder, command, io, signal, { agent, begun } = { agent: null }) {
      const key = keyOf(id)
      const offsets: Record<string, number> = {}
      const failure: { error?: unknown } = {}
      const once = onlyOnce(io, offsets, (error) => {
        failure.error ??= error
        connection?.interrupt(id, messageOf(error))
      })
      const interrupt = () => {
        // It goes on, and the next process of the master takes it up.
        if (hasCode(signal.reason, 'BOLT_MASTER_STOPPING') && connection?.info.resumable) return
        connection?.interrupt(id, messageOf(signal.reason))
      }
      /** The slave is there, and the command is not: nothing to wait for. */
      let final: unknown
      const gone = (why: string) => (final = sessionLost(slave, why))
      const taken = (result: Promise<CommandResult>) =>
        result.catch((error: unknown) => {
          throw hasCode(error, 'BOLT_SESSION_LOST') ? error : gone(messageOf(error))
        })
      async function begin(link: SlaveConnection): Promise<CommandResult> {
        const before = begun && held.get(key)
        if (before === undefined) {
          if (await begun?.isStored()) throw gone('it was restarted and has the command no longer')
          return link.run(id, builder, command, once).catch((error: unknown) => {
            throw error instanceof CiError && error.code.endsWith('_NOT_HELD') ? gone(messageOf(error)) : error
          })
        }
        const { offsets: stored, streams } = await begun!.from(before.lengths ?? {})
        log.info('command of the process before taken up', { slave, command: key, offsets: stored })
        return taken(link.resume(id, stored, once, { streams, command }))
      }
      signal.addEventListener('abort', interrupt)
      active.add(key)
      try {
        let link = connection ?? (agent !== null ? await reconnected(null, 'it is not connected') : undefined)
        if (link === undefined) throw sessionLost(slave, 'it is not connected')
        if (agent !== null && agentOf(link) !== agent) throw sessionLost(slave, 'another one came under its name')
        let attempt = begin(link)
        for (;;) {
          if (signal.aborted) interrupt()
          try {
            const result = await attempt
            if (failure.error !== undefined) throw failure.error
            return result
          } catch (error) {
            if (failure.error !== undefined) throw failure.error
            if (!hasCode(error, 'BOLT_SESSION_LOST') || !link.info.resumable || error === final) throw error
            const why = await link.closed
            log.info('link lost, command goes on', { slave, command: key, why })
            link = await reconnected(key, why)
            log.info('command resumed', { slave, command: key, offsets })
            attempt = taken(link.resume(id, offsets, once))
          }
        }
      } finally {
        active.delete(key)
        signal.removeEventListener('abort', interrupt)
      }
    },
    adopt(build) {
      const name = buildOf(build)
      adopted.add(name)
      return {
        [Symbol.dispose]() {
          if (!adopted.delete(name)) return
          for (const { id } of held.values()) if (buildOf(id) === name) connection?.forget(id)
        },
      }
    },
    forget(id) {
      connection?.forget(id)
    },
    close(why) {
      over = why
      for (const waiter of [...waiters]) waiter.lost(why)
    },
  }
}

/** The slave program behind a link, when it keeps commands over broken links. */
export const agentOf = ({ info }: SlaveConnection) => (info.resumable ? (info.instance ?? '') : null)
const buildOf = (id: Pick<CommandId, 'build' | 'epoch'>) => `${id.build}.${id.epoch}`
export const keyOf = (id: CommandId) => `${id.build}.${id.epoch}.${id.step}.${id.index}`

/**
 * `io` with bytes that came before passed over. A failure to store is kept for the end of the command: the transport has no use
 * for it, and must not acknowledge the bytes.
 */
function onlyOnce(io: CommandIo, offsets: Record<string, number>, failed: (error: unknown) => void): CommandIo {
  let received = 0
  const guarded = async (store: () => Promise<void>) => {
    try {
      await store()
    } catch (error) {
      failed(error)
      throw error
    }
  }
  const { receive, provide } = io
  return {
    output(logName, stream, offset, data) {
      const have = offsets[logName] ?? 0
      if (offset + data.length <= have && data.length > 0) return Promise.resolve()
      const fresh = offset < have ? data.subarray(have - offset) : data
      offsets[logName] = offset + data.length
      return guarded(() => io.output(logName, stream, Math.max(offset, have), fresh))
    },
    ...(receive && {
      receive(offset: number, data: Uint8Array) {
        if (offset + data.length <= received && data.length > 0) return Promise.resolve()
        const fresh = offset < received ? data.subarray(received - offset) : data
        const at = Math.max(offset, received)
        received = offset + data.length
        return guarded(() => receive(at, fresh))
      },
    }),
    ...(provide && { provide }),
  }
}
