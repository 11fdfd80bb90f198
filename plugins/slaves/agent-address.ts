import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { socketFailed } from './errors.ts'

/** Longer paths do not fit in the address of a unix socket everywhere. */
const MAX_SOCKET_PATH = 100

/**
 * Has the server listen where only this user's processes come: on a unix socket in `directory`, or, when that path is too long or has
 * characters that URLs escape (spaces, umlauts), in a private folder of the temporary directory. The place stays the same over restarts, as slaves that go on come back to it. Windows
 * has no unix sockets for WebSockets: there it is a loopback port, kept in a file; the passwords guard it.
 * Resolves with the URL for the agents. @throws CiError `BOLT_LOCAL_SOCKET`.
 */
export async function listenLocally(server: Server, directory: string, platform: NodeJS.Platform): Promise<string> {
  if (platform === 'win32') return await listenOnPort(server, join(directory, 'port'))
  const path = await socketPath(directory)
  try {
    await rm(path, { force: true }) // of a master that is gone: this one has the base directory now
    await listen(server, { path })
    await chmod(path, 0o600)
  } catch (error) {
    throw socketFailed(path, error)
  }
  return `ws+unix://${path}:/`
}

async function socketPath(directory: string): Promise<string> {
  const path = join(directory, 'agents.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH && isPlain(path)) return path
  const hash = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  const folder = join(tmpdir(), `boltbot-${userInfo().uid}-${hash}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const found = await lstat(folder)
    if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o077) !== 0)
      throw new Error('it belongs to another user, or is open to others')
  } catch (error) {
    throw socketFailed(folder, error)
  }
  return join(folder, 'agents.sock')
}

/** The WebSocket client takes the path as it stands in the URL, and escapes nothing back. */
const isPlain = (path: string) => !/[?#:]/.test(path) && URL.parse(`ws+unix://${path}`)?.pathname === path

async function listenOnPort(server: Server, file: string): Promise<string> {
  const kept = Number(await readFile(file, 'utf8').catch(() => '0'))
  try {
    await listen(server, { port: Number.isInteger(kept) ? kept : 0, host: '127.0.0.1' }).catch(() =>
      listen(server, { port: 0, host: '127.0.0.1' }),
    )
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await writeFile(file, String(port))
    return `ws://127.0.0.1:${port}`
  } catch (error) {
    throw socketFailed('127.0.0.1', error)
  }
}

function listen(server: Server, where: { path: string } | { port: number; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
