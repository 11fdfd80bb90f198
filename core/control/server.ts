import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { CiError, type Log } from 'boltbot/plugin-sdk'
import { controlBusy, controlFailed, controlListen, controlTaken, controlUnknownMethod } from './errors.ts'
import { type ControlFailure, type ControlReply, createLineSplitter, parseRequest } from './protocol.ts'
import { findSocketPath, makeSocketPath, removeSocketPath, type SocketPlace } from './socket-path.ts'

/** Answers one request: with a promise of the result, or item by item. A throw becomes the error reply. */
export type ControlMethod = (
  params: Readonly<Record<string, unknown>>,
  context: { readonly signal: AbortSignal },
) => Promise<unknown> | AsyncIterable<unknown>

export interface ControlDeps extends SocketPlace {
  readonly methods: Readonly<Record<string, ControlMethod>>
  readonly log: Log
  /** Connections at once; more are refused with a sentence. Default 32. */
  readonly maxConnections?: number
}

export interface ControlServer extends AsyncDisposable {
  readonly path: string
}

/**
 * Listens for the commands of this machine's user. Who may connect is decided by the socket's mode (0600).
 * @throws CiError `BOLT_CONTROL_TAKEN` when another master of this base directory answers, `BOLT_CONTROL_LISTEN`.
 */
export async function startControl(deps: ControlDeps): Promise<ControlServer> {
  const { basedir, platform, maxConnections = 32 } = deps
  if (await answers(findSocketPath(basedir, platform))) throw controlTaken(basedir)
  removeSocketPath(basedir, platform) // of a master that was killed
  const path = makeSocketPath(deps)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => {}) // a client that goes away in the middle is none of our concern; 'close' follows
    if (sockets.size >= maxConnections) {
      socket.end(`${JSON.stringify({ id: 0, error: failureOf(controlBusy(maxConnections)) })}\n`)
      socket.resume() // so that its end is seen
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, deps)
  })
  try {
    server.listen(path)
    await once(server, 'listening')
    if (platform !== 'win32') chmodSync(path, 0o600)
  } catch (error) {
    throw controlListen(path, error)
  }
  server.on('error', (error) => deps.log.error('control socket failed', { error }))
  return {
    path,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) {
        socket.destroySoon() // the answer under way goes out first,
        socket.setTimeout(2000, () => socket.destroy()) // unless nobody reads it
      }
      await closed
      removeSocketPath(basedir, platform)
    },
  }
}

function serve(socket: Socket, { methods, log }: ControlDeps): void {
  const abort = new AbortController()
  const waiters = new Set<() => void>()
  const wake = () => {
    for (const waiter of waiters) waiter()
    waiters.clear()
  }
  socket.on('drain', wake)
  socket.on('close', () => {
    abort.abort()
    wake()
  })
  const send = async (reply: ControlReply) => {
    if (socket.writableEnded || socket.destroyed) return
    if (!socket.write(`${JSON.stringify(reply)}\n`)) await new Promise<void>((resolve) => waiters.add(resolve))
  }
  const answer = async (line: string) => {
    let id = 0
    try {
      const request = parseRequest(line)
      id = request.id
      const method = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined
      if (!method) throw controlUnknownMethod(request.method, Object.keys(methods))
      const given = method(request.params, { signal: abort.signal })
      if (Symbol.asyncIterator in given) {
        for await (const item of given) await send({ id, item })
        await send({ id, result: null })
      } else await send({ id, result: (await given) ?? null })
    } catch (error) {
      if (abort.signal.aborted) return
      if (!(error instanceof CiError)) log.error('control command failed', { error })
      await send({ id, error: failureOf(error) })
    }
  }
  const split = createLineSplitter((line) => void answer(line))
  socket.on('data', (data) => {
    try {
      split(data as Buffer) // no encoding is set on the socket
    } catch (error) {
      socket.end(`${JSON.stringify({ id: 0, error: failureOf(error) })}\n`)
      socket.removeAllListeners('data')
      socket.resume()
    }
  })
}

function failureOf(error: unknown): ControlFailure {
  const { code, message, hint } = error instanceof CiError ? error : controlFailed(error)
  return { code, message, hint }
}

/** True when somebody listens there. */
async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.on('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  const found = await promise
  socket.destroy()
  return found
}
