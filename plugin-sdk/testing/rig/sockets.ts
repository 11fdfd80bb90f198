import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import type { Server, Socket } from 'node:net'

/** The listening sockets of one life of a master, whoever opened them: a real kill takes them with it. */
export interface LifeSockets {
  /** Runs what belongs to the life; servers that are opened in it, also later on, are its own. */
  run<T>(work: () => T): T
  /** Closes its servers and breaks their connections. Any number of times. */
  kill(): void
}

export function createLifeSockets(): LifeSockets {
  watch()
  const open: Open = { servers: new Set(), sockets: new Set() }
  return {
    run: (work) => lives.run(open, work),
    kill() {
      for (const server of open.servers) if (server.listening) server.close()
      for (const socket of open.sockets) socket.destroy()
      open.servers.clear()
      open.sockets.clear()
    },
  }
}

interface Open {
  readonly servers: Set<Server>
  readonly sockets: Set<Socket>
}

const lives = new AsyncLocalStorage<Open>()
let watched = false

/** Node tells of every server that listens and every connection it takes, in the life that opened it. */
function watch(): void {
  if (watched) return
  watched = true
  subscribe('tracing:net.server.listen:asyncEnd', (message) => {
    const { server } = message as { readonly server: Server } // as Node documents the channel
    const open = lives.getStore()
    if (open === undefined) return
    open.servers.add(server)
    server.once('close', () => open.servers.delete(server))
  })
  subscribe('net.server.socket', (message) => {
    const { socket } = message as { readonly socket: Socket } // as Node documents the channel
    const open = lives.getStore()
    if (open === undefined) return
    open.sockets.add(socket)
    socket.once('close', () => open.sockets.delete(socket))
  })
}
