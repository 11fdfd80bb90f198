import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A piece of network between a slave and its master, which can be cut. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** How many connections it has carried so far. */
  carried(): number
  /** Resets what is connected, and refuses new connections until `mend`. */
  cut(): void
  mend(): void
}

export async function createTcpProxy(target: number): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let isCut = false
  let carried = 0
  const server = createServer((near) => {
    if (isCut) return void near.resetAndDestroy()
    carried++
    const far = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('error', () => {}) // 'close' follows
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drop = () => {
    for (const socket of open) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port, // a TCP server has no other address
    carried: () => carried,
    cut() {
      isCut = true
      drop()
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      server.close()
      drop()
      await once(server, 'close')
    },
  }
}
