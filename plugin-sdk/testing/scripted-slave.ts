import type { Clock } from '../clock.ts'
import type { Command, CommandId } from '../command.ts'
import type { SlaveBuilder, SlaveConnection, SlaveDoor, SlaveInfo } from '../slave-transport.ts'
import { callRefused, linkLost, nothingHeld } from './errors.ts'
import { commandText, createAnswers, type ScriptedAnswers, type ScriptedResult } from './scripted-answers.ts'
import { type RunningCommand, startCommand } from './scripted-command.ts'

/** A slave without a process: it does what the script says, and remembers what it was asked. */
export interface ScriptedSlave {
  readonly name: string
  /** A new link; an older one of this slave is broken first. Commands still held are told in `held`. */
  connect(): SlaveConnection
  /** `connect`, and hands the link to the master. Rejects when the master refuses it. */
  attach(door: Pick<SlaveDoor, 'attach'>): Promise<SlaveConnection>
  /** Breaks the link. Commands live on when the slave is resumable, and die when not. */
  drop(reason?: string): void
  /** The slave's process is gone: the link breaks and all commands are forgotten. */
  crash(): void
  /** From now on pings stay unanswered (and are answered again with `false`). */
  mute(muted?: boolean): void
  /** From now on it refuses this call (`null`: no call any more). */
  refuse(what: 'setBuilders' | 'startBuild' | null): void
  /** Ends the hanging command whose text contains `match`; default: all of them. */
  finish(match?: string, result?: ScriptedResult): void
  /** All it was asked, oldest first. */
  readonly asked: readonly Asked[]
  /** The texts of the commands among it: `['git clone …', 'make']`. */
  commands(): readonly string[]
  /** Commands it still has: running, or finished and not forgotten. */
  readonly held: readonly CommandId[]
  /** The bytes that downloads brought, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** How many links there have been. */
  readonly links: number
}

/** One thing that a scripted slave was asked for. */
export type Asked =
  | { readonly what: 'run'; readonly id: CommandId; readonly builder: string; readonly command: Command }
  | { readonly what: 'resume'; readonly id: CommandId; readonly offsets: Readonly<Record<string, number>> }
  | { readonly what: 'forget'; readonly id: CommandId }
  | { readonly what: 'interrupt'; readonly id: CommandId; readonly reason: string }
  | { readonly what: 'ping' | 'shutdown' }
  | { readonly what: 'setBuilders'; readonly builders: readonly SlaveBuilder[] }
  | { readonly what: 'startBuild'; readonly builder: string }
  | { readonly what: 'close'; readonly reason: string }

/** What a scripted slave is made of. */
export interface ScriptedSlaveOptions {
  readonly name: string
  /** The first that fits answers a command, or what the function gives; without any, commands exit 0 in silence. */
  readonly answers?: ScriptedAnswers
  /** Default: a resumable slave without admin or host text, unlike any other. */
  readonly info?: Partial<SlaveInfo>
  /** For `lastHeard` and `elapsed`; default: time stands at 0. */
  readonly clock?: Pick<Clock, 'now'>
}

let made = 0

/**
 * @example
 * const bot = createScriptedSlave({ name: 'bot', answers: [
 *   { match: 'make test', output: 'not ok 1\n', result: 2 },
 *   { match: 'make', hang: true },
 * ] })
 * await bot.attach(host.slaves)
 */
export function createScriptedSlave(options: ScriptedSlaveOptions): ScriptedSlave {
  const { name, clock = { now: () => 0 } } = options
  const info: SlaveInfo = {
    admin: null,
    host: null,
    version: 'scripted',
    resumable: true,
    instance: `${made++}`,
    ...options.info,
  }
  const answerTo = createAnswers(options.answers ?? [])
  const held = new Map<string, RunningCommand & { readonly text: string }>()
  /** Commands that died with its process: never started again. */
  const gone = new Set<string>()
  const asked: Asked[] = []
  const files = new Map<string, Uint8Array>()
  let links = 0
  let muted = false
  let refused: string | null = null
  let current: { readonly connection: SlaveConnection; break(reason: string): void } | undefined

  const connect = (): SlaveConnection => {
    current?.break('a newer link of the same slave')
    links++
    const closed = Promise.withResolvers<string>()
    const lost = Promise.withResolvers<never>()
    lost.promise.catch(() => {}) // most links break with nothing pending
    let open = true
    let heard = clock.now()
    /** A call that lasts as long as the link at most. */
    const overLink = async <T>(what: Asked, act: () => Promise<T>): Promise<T> => {
      if (!open) throw linkLost(name, 'it was closed before the call')
      asked.push(what)
      if (what.what === refused) throw callRefused(name, refused)
      const value = await Promise.race([act(), lost.promise])
      heard = clock.now()
      return value
    }
    const broken = (reason: string) => {
      if (!open) return
      open = false
      const error = linkLost(name, reason)
      lost.reject(error)
      for (const [key, command] of held) {
        command.unfollow(error)
        if (!info.resumable) held.delete(key)
        if (!info.resumable) command.interrupt(reason)
      }
      closed.resolve(reason)
      current = undefined
    }
    const connection: SlaveConnection = {
      slave: name,
      peer: `scripted:${links}`,
      info,
      held: [...held.values()].map(({ id, running, lengths }) => ({ id, running, lengths: lengths() })),
      closed: closed.promise,
      lastHeard: () => heard,
      ping: (signal) =>
        overLink({ what: 'ping' }, async () => {
          signal.throwIfAborted()
          if (!muted) return
          await new Promise<never>((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
          )
        }),
      setBuilders: (builders) => overLink({ what: 'setBuilders', builders }, async () => {}),
      startBuild: (builder) => overLink({ what: 'startBuild', builder }, async () => {}),
      run: (id, builder, command, io) =>
        overLink({ what: 'run', id, builder, command }, async () => {
          if (gone.has(keyOf(id))) throw nothingHeld(name, id)
          const took = (data: Uint8Array) => {
            const path = command.kind === 'download' ? command.path : ''
            files.set(path, joined(files.get(path), data))
          }
          const drop = (reason: string) => current?.break(reason)
          const started = startCommand({ id, builder, command, answer: answerTo(command, builder), clock, drop, took })
          held.set(keyOf(id), Object.assign(started, { text: commandText(command) }))
          return started.follow(io, {})
        }),
      resume: (id, offsets, io, check) =>
        overLink({ what: 'resume', id, offsets }, async () => {
          const command = held.get(keyOf(id))
          if (!command || (check && commandText(check.command) !== command.text)) throw nothingHeld(name, id)
          return command.follow(io, check ? command.agreed(offsets, check) : offsets)
        }),
      forget(id) {
        if (!open) return
        asked.push({ what: 'forget', id })
        held.get(keyOf(id))?.interrupt('forgotten')
        held.delete(keyOf(id))
      },
      interrupt(id, reason) {
        if (!open) return
        asked.push({ what: 'interrupt', id, reason })
        held.get(keyOf(id))?.interrupt(reason)
      },
      shutdown: () => overLink({ what: 'shutdown' }, async () => broken('the slave exited as it was asked')),
      close(reason) {
        if (!open) return
        asked.push({ what: 'close', reason })
        broken(reason)
      },
    }
    current = { connection, break: broken }
    return connection
  }

  return {
    name,
    connect,
    async attach(door) {
      const connection = connect()
      await door.attach(connection)
      return connection
    },
    drop: (reason = 'dropped by the test') => current?.break(reason),
    crash() {
      current?.break('the slave crashed')
      for (const [key, command] of held) {
        gone.add(key)
        command.interrupt('the slave crashed')
      }
      held.clear()
    },
    mute(value = true) {
      muted = value
    },
    refuse(what) {
      refused = what
    },
    finish(match = '', result) {
      for (const command of held.values()) if (command.text.includes(match)) command.finish(result)
    },
    asked,
    commands: () => asked.flatMap((item) => (item.what === 'run' ? [commandText(item.command)] : [])),
    get held() {
      return [...held.values()].map((command) => command.id)
    },
    files,
    get links() {
      return links
    },
  }
}

function keyOf(id: CommandId): string {
  return `${id.build}/${id.epoch}/${id.step}/${id.index}`
}

function joined(before: Uint8Array | undefined, data: Uint8Array): Uint8Array {
  return before ? new Uint8Array([...before, ...data]) : data
}
