import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LEAN } from '../core/cli/lean.ts'
import { makeSlaveDirectory } from '../core/cli/slave-directory.ts'

/** The real slave agent in a process of its own. */
export interface AgentProcess extends AsyncDisposable {
  /** Resident memory in bytes. */
  rss(): Promise<number>
}

const PROGRAM = fileURLToPath(new URL('../slave/boltbot-slave.js', import.meta.url))

export async function startAgent(name: string, password: string, port: number): Promise<AgentProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'boltbot-bench-agent-'))
  const login = { url: `ws://127.0.0.1:${port}`, name, password }
  makeSlaveDirectory(directory, login, { keepalive: 60, maxdelay: 1 })
  // As `boltbot start` runs a slave.
  const flags = ['--disable-warning=ExperimentalWarning', ...LEAN.flags]
  const child = spawn(process.execPath, [...flags, PROGRAM, directory], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  return {
    rss: () => residentBytes(child.pid!),
    async [Symbol.asyncDispose]() {
      child.kill()
      // Node 26 may hang in `exit`: a thread that compiles waits for a collection by the main thread, which waits for it.
      const impatient = setTimeout(() => child.kill('SIGKILL'), 3000)
      await exited
      clearTimeout(impatient)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}
