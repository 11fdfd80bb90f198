import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../wire/agent/digest.ts'
import {
  type AgentMessage,
  type BuilderEntry,
  type Command,
  type CommandId,
  type HeldEntry,
  keyOf,
  type MasterMessage,
} from '../wire/agent/messages.ts'
import type { SlaveClock } from './clock.ts'
import { failed } from './commands/context.ts'
import { isBelow } from './commands/paths.ts'
import { runCommand } from './commands/run.ts'
import { finishedCommand, type HeldCommand, startCommand } from './held-command.ts'
import type { SlaveLog } from './log.ts'
import { Problem, reasonOf } from './problem.ts'
import { killMarked } from './processes.ts'
import type { Spool } from './spool.ts'

/** What a slave does, whatever link it has at the moment: keeps commands, and does what the master says. */
export interface Agent {
  readonly held: readonly HeldEntry[]
  /** True when no command runs. */
  readonly idle: boolean
  /** Ends what an earlier run left behind and takes up what it had finished. */
  recover(): Promise<void>
  /** Takes a message of the master; `send` answers over the link it came from. */
  take(message: MasterMessage, send: (message: AgentMessage) => void): void
  /** The link is gone. */
  unlink(): void
  /** Ends all commands; resolves when nothing runs any more and what was finished is on the disk. */
  stop(reason: string): Promise<void>
}

export interface AgentDeps {
  readonly basedir: string
  readonly clock: SlaveClock
  readonly log: SlaveLog
  readonly spool: Spool
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly usePty: boolean
  /** The master asked the program to exit: called when nothing is left to do, perhaps at once. */
  readonly shutdown: () => void
}

/** Folders of the base directory that are not a builder's. */
const RESERVED = new Set(['spool', 'info'])

export function createAgent(deps: AgentDeps): Agent {
  const { basedir, clock, log, spool } = deps
  const commands = new Map<string, HeldCommand>()
  const directories = new Map<string, string>()
  /** Commands that an earlier run began and did not finish: never started again. */
  const lost = new Map<string, CommandId>()
  /** What was forgotten and is being removed. */
  const leaving = new Set<Promise<void>>()
  const mark = createHash('sha256').update(basedir).digest('hex').slice(0, 16)
  let exiting = false

  function exitWhenDone(): void {
    if (exiting && commands.size === 0 && leaving.size === 0) deps.shutdown()
  }

  async function setBuilders(builders: readonly BuilderEntry[]): Promise<void> {
    directories.clear()
    for (const { name, directory } of builders) {
      const path = join(basedir, directory)
      if (path === basedir || !isBelow(basedir, path) || RESERVED.has(directory.toLowerCase()))
        throw new Problem(`The builder "${name}" cannot have the directory "${directory}".`)
      try {
        await mkdir(path, { recursive: true })
      } catch (error) {
        // Its commands say so again; the other builders are served all the same.
        log.error('directory of a builder not made', { builder: name, path, error })
      }
      directories.set(name, path)
    }
  }

  function start(id: CommandId, builder: string, command: Command): HeldCommand {
    const key = keyOf(id)
    const directory = directories.get(builder)
    log.info('command started', { command: key, builder, kind: command.kind })
    const digest = digestOf(command)
    const held = startCommand({
      id,
      digest,
      clock,
      log,
      spool: (failure) => spool.create(id, digest, failure),
      async run(io) {
        if (exiting) return failed(new Problem('This slave is shutting down.'), 0)
        if (directory === undefined) return failed(new Problem(`This slave has no builder "${builder}".`), 0)
        const { environment, platform, usePty } = deps
        const marked = `${mark}/${key}/`
        const result = await runCommand(command, {
          ...io,
          directory,
          mark: marked,
          environment,
          platform,
          usePty,
          clock,
        })
        log.info('command finished', { command: key, cause: result.cause, exitCode: result.exitCode })
        return result
      },
    })
    commands.set(key, held)
    return held
  }

  function forget(id: CommandId): void {
    const key = keyOf(id)
    const held = commands.get(key)
    if (held === undefined && !lost.delete(key)) return
    commands.delete(key)
    const removal = (held?.remove() ?? spool.drop(id))
      .catch((error: unknown) => log.error('command not removed', { command: key, error }))
      .finally(() => {
        leaving.delete(removal)
        exitWhenDone()
      })
    leaving.add(removal)
  }

  async function answer(request: number, send: (message: AgentMessage) => void, work: () => Promise<void>) {
    try {
      await work()
      send({ t: 'done', request, error: null })
    } catch (error) {
      send({ t: 'done', request, error: reasonOf(error) })
    }
  }

  return {
    get held() {
      const known = [...commands.values()].map(({ id, running, lengths }) => ({ id, running, lengths }))
      return [...known, ...[...lost.values()].map((id) => ({ id, running: false, lengths: {} }))]
    },
    get idle() {
      return [...commands.values()].every((held) => !held.running)
    },
    async recover() {
      const killed = await killMarked(`${mark}/`)
      if (killed > 0) log.warn('processes of an earlier run killed', { killed })
      const before = await spool.load()
      for (const { id, result, digest, spool: kept } of before.finished)
        commands.set(keyOf(id), finishedCommand(id, result, digest, kept, { clock, log }))
      for (const id of before.lost) lost.set(keyOf(id), id)
    },
    take(message, send) {
      switch (message.t) {
        case 'builders':
          void answer(message.request, send, () => setBuilders(message.builders))
          break
        case 'run': {
          if (lost.has(keyOf(message.id))) {
            send({ t: 'unknown', id: message.id })
            break
          }
          const held = commands.get(keyOf(message.id)) ?? start(message.id, message.builder, message.command)
          held.link(send, {})
          break
        }
        case 'resume': {
          const held = commands.get(keyOf(message.id))
          const { digest, offsets, streams } = message
          const isOther = digest && held?.digest !== undefined && held.digest !== digest
          if (held && !isOther) held.link(send, streams ? held.agreed(offsets, streams) : offsets)
          else send({ t: 'unknown', id: message.id })
          break
        }
        case 'forget':
          forget(message.id)
          break
        case 'interrupt':
          commands.get(keyOf(message.id))?.end({ cause: 'interrupted', reason: `stopped: ${message.reason}` })
          break
        case 'ack':
          commands.get(keyOf(message.id))?.delivery.acked(message.log, message.offset)
          break
        case 'uploadAck':
          commands.get(keyOf(message.id))?.delivery.uploadAcked(message.offset)
          break
        case 'bytes':
          commands.get(keyOf(message.id))?.delivery.bytes(message.offset, message.data)
          break
        case 'shutdown':
          exiting = true
          log.info('shutting down', { commands: commands.size })
          send({ t: 'done', request: message.request, error: null })
          exitWhenDone()
          break
      }
    },
    unlink() {
      for (const held of commands.values()) held.unlink()
      if (exiting && [...commands.values()].every((held) => !held.running)) deps.shutdown() // the rest is on the disk
    },
    async stop(reason) {
      const all = [...commands.values()]
      const running = all.filter((held) => held.running)
      for (const held of running) held.end({ cause: 'interrupted', reason: `stopped: ${reason}` })
      await Promise.all(running.map((held) => held.finished))
      // Not persisted: the master finds that they are gone, and gives them to another slave.
      await Promise.all(running.map((held) => held.remove().then(() => spool.note(held.id))))
      await Promise.all(all.filter((held) => !running.includes(held)).map((held) => held.close()))
      await Promise.all(leaving)
    },
  }
}
