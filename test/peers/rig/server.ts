import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'

/** A real server that can be killed and started again on its port. */
export interface Server extends AsyncDisposable {
  readonly port: number
  /** What it printed last. */
  said(): string
  start(): Promise<void>
  /** With all processes it made. */
  kill(): Promise<void>
  /** Asks it to end, so that it saves what it knows. */
  stop(): Promise<void>
}

export interface Recipe {
  /** `null`: it does not listen. */
  readonly port: number | null
  /** Whose rights it takes when the test runs as root: these servers do not like to run as root. */
  readonly account: string
  /** Fills its folder, and gives the command that runs it in the foreground. */
  readonly prepare: (directory: string) => readonly string[]
}

export async function startServer({ port, account, prepare }: Recipe): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'boltbot-peer-'))
  const [program = '', ...words] = prepare(directory)
  chmodSync(directory, 0o755)
  if (isRoot()) spawnSync('chown', ['-R', account, directory])
  const [command = '', ...args] = [...rightsOf(account), program, ...words]
  let child: ReturnType<typeof spawn> | undefined
  let said = ''
  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    process.kill(-child.pid, signal)
    await exited
  }

  const server: Server = {
    port: port ?? 0,
    said: () => said,
    async start() {
      const started = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      child = started
      const hear = (data: Buffer) => void (said = (said + data).slice(-4000))
      started.stdout.on('data', hear)
      started.stderr.on('data', hear)
      if (port !== null)
        await until(() => answers(port), { what: `${program} to listen`, deadline: 20_000, seen: () => said })
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async [Symbol.asyncDispose]() {
      await server.kill()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

/** Asked by connecting: to listen there for a moment would be in the server's way. */
async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host: '127.0.0.1', port })
  socket.on('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  const found = await promise
  socket.destroy()
  return found
}

/** What stands before a command that is to run with no more than the rights of an account; nothing when the test does not run as root. */
export function rightsOf(account: string): readonly string[] {
  const group = account === 'nobody' ? 'nogroup' : account
  return isRoot() ? ['setpriv', '--reuid', account, '--regid', group, '--clear-groups'] : []
}

const isRoot = () => process.getuid?.() === 0
