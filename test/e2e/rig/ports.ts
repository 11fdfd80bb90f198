import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * A port that is free and that no socket gets by chance, so that a master can be killed and come back on it: below the range
 * from which the system gives ports away.
 */
export async function reservePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    if (await isFree(port)) return port
  }
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** Something that listens on a port of the loopback, to be in the way. */
export async function occupyPort(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // a TCP server has no other address
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}
