import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { type Finding, messageOf } from 'boltbot/plugin-sdk'

/** A port of ours: it must answer while the master runs, and be free while it does not. */
export async function checkPort(what: string, port: number, host: string, isRunning: boolean): Promise<Finding> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const named = `${what} at ${address}`
  if (port === 0) return { what, verdict: 'ok', text: 'Any free port will do.' }
  return isRunning ? answers(named, port, host) : isFree(named, port, host)
}

async function answers(what: string, port: number, host: string): Promise<Finding> {
  const open = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const socket = connect(port, open)
  socket.setTimeout(5000, () => socket.destroy(new Error('nobody answers within 5 s')))
  try {
    await once(socket, 'connect')
    return { what, verdict: 'ok', text: 'It answers.' }
  } catch (error) {
    return {
      what,
      verdict: 'fail',
      text: `It does not answer: ${messageOf(error)}.`,
      cure: 'Restart the master, and look into its log.',
    }
  } finally {
    socket.destroy()
  }
}

async function isFree(what: string, port: number, host: string): Promise<Finding> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return { what, verdict: 'ok', text: 'It is free.' }
  } catch (error) {
    const cures: Readonly<Record<string, string>> = {
      EADDRINUSE: 'Another program has it: stop that, or choose another port.',
      EACCES: 'Ports below 1024 are for root: choose a higher one.',
      EADDRNOTAVAIL: 'This machine has no such address: choose one it has, or 0.0.0.0 for all.',
    }
    const cure = cures[(error as NodeJS.ErrnoException).code ?? ''] ?? 'Choose another port or address.'
    return { what, verdict: 'fail', text: `It cannot be opened: ${messageOf(error)}.`, cure }
  } finally {
    server.close()
  }
}
