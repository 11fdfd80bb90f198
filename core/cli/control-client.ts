import { connect } from 'node:net'
import { controlDenied, controlLost, controlRemote, controlUnreachable } from '../control/errors.ts'
import { createLineSplitter, parseReply } from '../control/protocol.ts'
import { findSocketPath } from '../control/socket-path.ts'

/** One command to the master of a base directory; `onItem` gets what it streams; `signal` hangs up. @throws CiError as the master says. */
export async function callMaster<T>(
  basedir: string,
  method: string,
  params: object,
  onItem: (item: unknown) => void = () => {},
  signal?: AbortSignal,
): Promise<T> {
  const path = findSocketPath(basedir, process.platform)
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const socket = connect(path)
  socket.on('connect', () => socket.write(`${JSON.stringify({ id: 1, method, params })}\n`))
  socket.on('error', (error: NodeJS.ErrnoException) =>
    reject(error.code === 'EACCES' ? controlDenied(basedir, path, error) : controlUnreachable(basedir, error)),
  )
  socket.on('close', () => reject(controlLost()))
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  const split = createLineSplitter((line) => {
    const reply = parseReply(line)
    if ('item' in reply) onItem(reply.item)
    else if ('error' in reply) reject(controlRemote(reply.error.code, reply.error.message, reply.error.hint))
    else resolve(reply.result as T) // what the method gives is known to its caller
  })
  socket.on('data', (data) => {
    try {
      split(data as Buffer) // no encoding is set on the socket
    } catch (error) {
      reject(error)
    }
  })
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
