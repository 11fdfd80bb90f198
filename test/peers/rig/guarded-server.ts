import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { until } from 'boltbot/plugin-sdk/testing'
import { reservePort } from '../../e2e/rig/ports.ts'

export interface Guarded extends AsyncDisposable {
  readonly port: number
}

/** A program that listens on the port it is given, once it does. */
export async function startServer(command: (port: number) => readonly string[], cwd: string): Promise<Guarded> {
  const port = await reservePort()
  const [program = '', ...args] = command(port)
  const child = spawn(program, args, { stdio: 'ignore', cwd })
  await until(() => isOpen(port), { what: `${program} to listen` })
  return { port, [Symbol.asyncDispose]: () => ended(child) }
}

/**
 * A web server that lets nobody in but this one: to the files of a folder, or to a server behind it. `asked` is called while a client waits.
 */
export async function guard(
  user: string,
  password: string,
  behind: string | number,
  asked: () => void = () => {},
): Promise<Guarded> {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const server = createServer((request, answer) => {
    asked()
    if (request.headers.authorization === wanted)
      return typeof behind === 'number' ? pass(request, answer) : serve(request, answer)
    request.resume()
    answer.writeHead(401, { 'www-authenticate': 'Basic realm="hello"', 'content-length': 0 }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path, headers } = asked
    const onward = request({ host: '127.0.0.1', port: behind as number, method, path, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(answer)
    })
    asked.pipe(onward)
  }
  async function serve({ url = '/' }: IncomingMessage, answer: ServerResponse): Promise<void> {
    const file = await readFile(join(behind as string, decodeURIComponent(url.split('?')[0]!))).catch(() => null)
    answer.writeHead(file === null ? 404 : 200).end(file ?? '')
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A folder with a program of this name that writes down how it was called, and then is the real one. */
export function recordCalls(program: string, folder: string): { readonly bin: string; calls(): string } {
  const bin = join(folder, 'bin')
  const calls = join(folder, 'calls')
  const real = process.env.PATH?.split(delimiter)
    .map((place) => join(place, program))
    .find((file) => existsSync(file))
  mkdirSync(bin)
  writeFileSync(join(bin, program), `#!/bin/sh\necho "$@" >> '${calls}'\nexec '${real}' "$@"\n`)
  chmodSync(join(bin, program), 0o755)
  return { bin, calls: () => readFileSync(calls, 'utf8') }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}

function isOpen(port: number): Promise<boolean | undefined> {
  const socket = connect(port, '127.0.0.1')
  return new Promise<boolean | undefined>((resolve) => {
    socket.on('connect', () => resolve(true)).on('error', () => resolve(undefined))
  }).finally(() => socket.destroy())
}

/** What every user of this machine can see: the command lines of all processes. */
export const commandLines = (): string => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8', maxBuffer: 1 << 26 })
