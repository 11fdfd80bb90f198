import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CiError,
  type Clock,
  type Command,
  type CommandIo,
  type CommandResult,
  type SlaveConnection,
} from 'boltbot/plugin-sdk'

export interface ConnectionOptions {
  readonly slave: string
  /** Builders get folders of their own in it. */
  readonly folder: string
  readonly clock: Pick<Clock, 'now'>
}

/** The link to a slave that is this process: it breaks only by being closed. */
export function openConnection({ slave, folder, clock }: ConnectionOptions): SlaveConnection {
  const folders = new Map<string, string>()
  const running = new Map<string, ChildProcess>()
  const closed = Promise.withResolvers<string>()
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {}) // mostly nothing is pending

  return {
    slave,
    peer: 'this machine',
    info: { admin: null, host: null, version: null, resumable: false },
    held: [],
    closed: closed.promise,
    lastHeard: () => clock.now(),
    async ping() {},
    async setBuilders(builders) {
      folders.clear()
      for (const { name, directory } of builders) folders.set(name, join(folder, directory))
    },
    async startBuild() {},
    run(id, builder, command, io) {
      const key = JSON.stringify(id)
      const began = (child: ChildProcess) => void running.set(key, child)
      const work = runCommand(join(folders.get(builder)!, 'build'), command, io, clock, began)
      return Promise.race([work.finally(() => running.delete(key)), lost.promise])
    },
    async resume() {
      throw new Error('nothing is held here')
    },
    forget() {},
    interrupt: (id) => void running.get(JSON.stringify(id))?.kill(),
    async shutdown() {},
    close(reason) {
      for (const child of running.values()) child.kill()
      const message = `The link to slave "${slave}" is gone: ${reason}.`
      lost.reject(new CiError({ code: 'BOLT_SESSION_LOST', message }))
      closed.resolve(reason)
    },
  }
}

async function runCommand(
  folder: string,
  command: Command,
  io: CommandIo,
  clock: Pick<Clock, 'now'>,
  began: (child: ChildProcess) => void,
): Promise<CommandResult> {
  const start = clock.now()
  const result = (over: Partial<CommandResult>): CommandResult => ({
    exitCode: null,
    signal: null,
    cause: 'exit',
    error: null,
    elapsed: clock.now() - start,
    data: null,
    ...over,
  })
  if (command.kind !== 'shell') return result({ cause: 'error', error: `"${command.kind}" is not done here` })
  await mkdir(folder, { recursive: true })
  const words = typeof command.command === 'string' ? ['/bin/sh', '-c', command.command] : command.command
  const child = spawn(words[0]!, words.slice(1), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  began(child)
  let written = 0
  let tail = Promise.resolve()
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (data: Buffer) => {
      const offset = written
      written += data.length
      tail = tail.then(() => io.output('stdio', stream, offset, data))
    })
  const ended = await new Promise<Partial<CommandResult>>((resolve) => {
    child.on('error', (error) => resolve({ cause: 'error', error: error.message }))
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, cause: child.killed ? 'interrupted' : 'exit' }))
  })
  await tail // all output was taken
  return result(ended)
}
