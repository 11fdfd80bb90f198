import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createTestHost, type TestHost, until } from 'boltbot/plugin-sdk/testing'
import { type StockWorkersOptions, stockWorkers } from 'boltbot/plugins/slaves/pb'
import { createBananaDecoder } from '../../../wire/pb/banana-decoder.ts'
import { createBroker } from '../../../wire/pb/broker.ts'
import { FRIEND } from '../../../wire/pb/limits.ts'
import { logIn } from '../../../wire/pb/login.ts'
import { itemsOf } from '../../../wire/pb/plain.ts'
import type { Sexp } from '../../../wire/pb/sexp.ts'
import { unjelly } from '../../../wire/pb/unjelly.ts'
import { type Dictionary, Referenceable, RemoteReference, type Value } from '../../../wire/pb/values.ts'
import { bytesOf, readCapture } from '../../wire/pb/captures.ts'

export type ListeningHost = TestHost & { readonly port: number }

/** A host whose stock workers may connect. */
export async function listen(options: StockWorkersOptions = {}): Promise<ListeningHost> {
  let port = 0
  const host = createTestHost({ slaves: { bot: 'pass1', other: 'pass2' } })
  await host.run(stockWorkers({ port: 0, ...options, onListening: (bound) => void (port = bound) }))
  return Object.assign(host, { port })
}

export interface ScriptedWorker extends Disposable {
  readonly perspective: Promise<RemoteReference>
  readonly closed: Promise<unknown>
  /** What `startCommand` was given: name and arguments. */
  readonly commands: readonly (readonly [name: string, args: Dictionary])[]
}

export type Bot = Readonly<Record<string, (args: readonly Value[]) => Value>>

/** A worker that answers as it is told. `play` is called for each command, with the object to report to. */
export function startScriptedWorker(
  port: number,
  bot: Bot,
  play: (name: string, command: RemoteReference, args: Dictionary) => void,
  name = 'bot',
  password = 'pass1',
): ScriptedWorker {
  const socket = connect(port, '127.0.0.1')
  const commands: [string, Dictionary][] = []
  const broker = createBroker({
    role: 'client',
    send: (bytes) => void socket.write(bytes),
    broken: (reason) => socket.destroy(new Error(reason)),
    trouble: () => {},
  })
  socket.on('data', (bytes) => broker.receive(bytes as Buffer))
  socket.on('close', () => broker.lost(new Error('closed')))
  socket.on('error', () => {})
  const builder = new Referenceable({
    startBuild: () => null,
    interruptCommand: () => null,
    startCommand([command, , what, args]) {
      commands.push([String(what), args as Dictionary])
      play(String(what), command as RemoteReference, args as Dictionary)
      return null
    },
  })
  const mind = new Referenceable({
    print: () => null,
    setBuilderList: ([list]) => new Map(itemsOf(list).map((pair) => [itemsOf(pair)[0]!, builder])),
    ...bot,
  })
  const perspective = logIn(broker, name, password, mind)
  perspective.catch(() => {}) // the test may not look
  return { perspective, commands, closed: once(socket, 'close'), [Symbol.dispose]: () => socket.destroy() }
}

/** A connection that says something else. */
export async function connectRaw(port: number): Promise<{ readonly socket: Socket; readonly closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.resume()
  await Promise.race([once(socket, 'connect'), closed])
  return { socket, closed: until(closed, { what: 'the connection to be closed' }) as Promise<void> }
}

export interface Recorded {
  readonly info: Dictionary
  /** Of each command: what was reported, in order. */
  readonly commands: readonly (readonly Report[])[]
}

export interface Report {
  readonly method: string
  readonly args: readonly Value[]
}

/** What a recorded worker said of itself, and reported of each of its commands. */
export function recorded(name: string): Recorded {
  const sexps: Sexp[] = []
  createBananaDecoder(FRIEND, (sexp) => sexps.push(sexp)).push(bytesOf(readCapture(name), 'c2s'))
  const nothing = {
    remote: (luid: number) => new RemoteReference(luid, () => Promise.reject(new Error('gone'))),
    local: () => new Referenceable({}),
  }
  const commands = new Map<unknown, Report[]>()
  let info: Dictionary = new Map()
  for (const sexp of sexps) {
    if (!Array.isArray(sexp) || !(sexp[0] instanceof Uint8Array)) continue
    const kind = Buffer.from(sexp[0]).toString()
    const value = kind === 'answer' ? unjelly(sexp[2] as Sexp, nothing) : undefined
    if (value instanceof Map && value.has('worker_commands')) info = value
    const method = kind === 'message' ? Buffer.from(sexp[3] as Uint8Array).toString() : ''
    if (method !== 'update' && method !== 'complete') continue
    commands.set(sexp[2], [
      ...(commands.get(sexp[2]) ?? []),
      { method, args: itemsOf(unjelly(sexp[5] as Sexp, nothing)) },
    ])
  }
  // The last one may have been cut off with the recording.
  const whole = [...commands.values()].filter((reports) => reports.some(({ method }) => method === 'complete'))
  return { info, commands: whole }
}
