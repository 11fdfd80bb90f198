import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A wire between a master and its database that a test can cut. */
export interface Proxy extends AsyncDisposable {
  /** The same database over this wire. */
  readonly url: string
  /** Cuts every connection now. */
  cut(): void
  /** Cuts every connection on the side of the master; the database believes in them. */
  orphan(): void
  /** The next client that says this is cut: before the server hears it, or when the server has answered and the client has not heard. */
  cutAt(text: string, when: 'before' | 'after'): void
  /** Connections that were cut at their word. */
  readonly cuts: number
}

export async function startProxy(url: string): Promise<Proxy> {
  const target = new URL(url)
  const open = new Set<Socket>()
  const orphans = new Set<Socket>()
  let trap: { readonly text: string; readonly when: 'before' | 'after' } | undefined
  let cuts = 0

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    let trapped = false
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {}) // the other end sees it closed
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        if (!orphans.has(upstream)) upstream.destroy()
      })
    }
    client.on('orphan', () => {
      orphans.add(upstream)
      client.destroy()
    })
    client.on('data', (bytes) => {
      if (trap !== undefined && bytes.includes(trap.text)) {
        const { when } = trap
        trap = undefined
        cuts++
        if (when === 'before') return client.destroy()
        trapped = true
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => (trapped ? client.destroy() : client.write(bytes)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  const through = new URL(url)
  through.port = String(port)
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    url: through.href,
    cut,
    orphan() {
      for (const socket of open) socket.emit('orphan')
    },
    cutAt(text, when) {
      trap = { text, when }
    },
    get cuts() {
      return cuts
    },
    async [Symbol.asyncDispose]() {
      server.close()
      cut()
      for (const socket of orphans) socket.destroy()
    },
  }
}
