import { createMasterLink, type MasterLink, type MasterLinkDeps } from './master-link.ts'
import { type Corkable, joinWrites } from './one-write.ts'

/** A WebSocket of an accepted connection, as far as it is needed: those of the package `ws` have this shape. */
export interface AcceptedWebSocket {
  send(bytes: Uint8Array): void
  close(code: number, reason: string): void
  terminate(): void
  readonly readyState: number
  on(event: 'message', listener: (data: Uint8Array, isBinary: boolean) => void): unknown
  on(event: 'close', listener: (code: number, reason: Uint8Array) => void): unknown
  on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): unknown
}

/** The subprotocol of the WebSocket: tells our agents from others that may speak to the same port. */
export const SUBPROTOCOL = 'boltbot.agent'

/** An end that does not close its side within this time is cut off. */
const CLOSE_MS = 1000
const OPEN = 1

/** Joins a WebSocket, and what carries it, to the master's end of the protocol. It must be set to give one buffer per message. */
export function acceptAgent(
  socket: AcceptedWebSocket,
  transport: Corkable,
  deps: Omit<MasterLinkDeps, 'socket'>,
): MasterLink {
  const join = joinWrites(transport)
  const link = createMasterLink({
    ...deps,
    socket: {
      send(bytes) {
        if (socket.readyState !== OPEN) return
        join()
        socket.send(bytes)
      },
      close(code, reason) {
        socket.close(code, reason.slice(0, 40)) // at most 123 bytes; the whole of it went as last words
        cutting = deps.clock.timer(CLOSE_MS, () => socket.terminate())
      },
    },
  })
  let cutting: Disposable | undefined
  socket.on('message', (data, isBinary) => {
    if (isBinary) link.receive(data)
    else link.broken('It sent text; the protocol of agents is binary.')
  })
  socket.on('error', (error) => {
    // A connection that broke is told by `close`; this is about frames that are not as they must be.
    if (error.code?.startsWith('WS_ERR')) link.broken(`It sent a broken or too large frame: ${error.message}.`)
  })
  socket.on('close', (code, reason) => {
    cutting?.[Symbol.dispose]()
    link.dropped(reason.length > 0 ? new TextDecoder().decode(reason) : `the connection was closed (${code})`)
  })
  return link
}
