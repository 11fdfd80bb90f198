import { readFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { Address } from './address.ts'

/** Resolves with the port, which matters when 0 was asked for. Rejects with the system's error. */
export async function listenOn(server: Server, { port, host }: Address): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : port
}

/** Reads both files and tries whether they belong together. @throws what `unusable` makes. */
export async function readCertificate(
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  unusable: (file: string, cause: unknown) => Error,
): Promise<{ readonly cert: string; readonly key: string }> {
  const read = (file: string) =>
    readFile(file, 'utf8').catch((error: unknown) => {
      throw unusable(file, error)
    })
  const pair = { cert: await read(certFile), key: await read(keyFile) }
  try {
    createSecureContext(pair)
  } catch (error) {
    throw unusable(certFile, error)
  }
  return pair
}
