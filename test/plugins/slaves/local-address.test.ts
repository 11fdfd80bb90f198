import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { listenLocally } from '../../../plugins/slaves/agent-address.ts'

for (const name of ['plain', 'with a space', 'Bäume', '100%', 'a#b?c', 'a:b', 'x'.repeat(120)])
  test(`agents reach the socket of a master whose directory is named "${name}"`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'boltbot-test-'))
    const directory = join(folder, name)
    await mkdir(directory)
    const server = createServer()
    const sockets = new WebSocketServer({ server })
    const url = await listenLocally(server, directory, 'linux')
    const client = new WebSocket(url)
    try {
      await once(client, 'open')
      assert.equal(url, await again(directory), 'the place stays the same over restarts')
    } finally {
      client.terminate()
      sockets.close()
      server.close()
      const socketFolder = dirname(url.slice('ws+unix://'.length, -':/'.length))
      await rm(folder, { recursive: true })
      await rm(socketFolder, { recursive: true, force: true })
    }
  })

async function again(directory: string): Promise<string> {
  const server = createServer()
  const url = await listenLocally(server, directory, 'linux')
  server.close()
  return url
}
