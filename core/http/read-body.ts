import type { IncomingMessage } from 'node:http'

/** The whole body; `undefined` when it is longer than `limit` bytes. Rejects when the client goes before its end. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>()
  const pieces: Buffer[] = []
  let length = 0
  request.on('data', (piece: Buffer) => {
    length += piece.length
    if (length > limit) return resolve(undefined)
    pieces.push(piece)
  })
  request.on('end', () => resolve(Buffer.concat(pieces)))
  request.on('error', reject)
  request.on('close', () => reject(new Error('the client has gone'))) // after 'end' this is nothing
  try {
    return await promise
  } finally {
    request.removeAllListeners('data')
  }
}
