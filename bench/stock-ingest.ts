// Claim: the output that a stock worker sends as fast as it can is taken with at most half of the CPU that the worker needs to send it,
// over both of its protocols: the worker is the limit, not the master.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMasterProcess } from './master-process.ts'
import { median, report } from './report.ts'

const ROUNDS = 3
const LINES = 400_000
const MEGABYTES = (LINES * 80) / 1e6
const PROGRAM = `BEGIN { for (i = 0; i < ${LINES}; i++) printf "%010d a line of output as compilers and tests print, 80 bytes with its end\\n", i }`
/** Of a second, as Linux counts the time of processes. */
const TICK_MS = 10

if (spawnSync('which', ['buildbot-worker']).status === 0)
  for (const protocol of ['pb', 'msgpack'] as const) await ingest(protocol)
else process.stderr.write('stock-ingest: buildbot-worker is not installed\n')

async function ingest(protocol: 'pb' | 'msgpack'): Promise<void> {
  const command = ['awk', PROGRAM]
  await using master = await startMasterProcess({ slaves: ['bot'], command, ...(protocol === 'pb' && { protocol }) })
  await using worker = startStockWorker(master.port, protocol)
  await master.call('attached')
  const rounds: { readonly master: number; readonly worker: number; readonly seconds: number }[] = []
  for (let round = 0; round < ROUNDS + 1; round++) {
    const before = [(await master.call('usage')).cpuMs, worker.cpuMs()] as const
    const began = performance.now()
    await master.call('enqueue', 1)
    await master.call('drained')
    const seconds = (performance.now() - began) / 1000
    rounds.push({
      master: ((await master.call('usage')).cpuMs - before[0]) / MEGABYTES,
      worker: (worker.cpuMs() - before[1]) / MEGABYTES,
      seconds,
    })
  }
  rounds.shift() // for the compiler
  const of = (key: 'master' | 'worker' | 'seconds') => median(rounds.map((round) => round[key]))
  report({
    name: `${protocol} worker, CPU for its log`,
    ours: of('master'),
    against: of('worker'),
    unit: 'ms/MB',
    limit: 'the worker that sends it',
    aim: { atMost: 0.5 },
  })
  report({
    name: `${protocol} worker, its log`,
    ours: MEGABYTES / of('seconds'),
    against: 1000 / of('worker'),
    unit: 'MB/s',
    limit: 'a core that the worker has for itself',
  })
}

function startStockWorker(port: number, protocol: 'pb' | 'msgpack'): AsyncDisposable & { cpuMs(): number } {
  const basedir = mkdtempSync(join(tmpdir(), 'boltbot-bench-worker-'))
  const options = protocol === 'msgpack' ? ['--protocol=msgpack_experimental_v7'] : []
  const where = [basedir, `127.0.0.1:${port}`, 'bot', 'secret']
  execFileSync('buildbot-worker', ['create-worker', '--maxdelay=1', ...options, ...where], { stdio: 'pipe' })
  const child = spawn('buildbot-worker', ['start', '--nodaemon', basedir], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  return {
    /** Of its own process: the command is another one. */
    cpuMs() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      rmSync(basedir, { recursive: true, force: true })
    },
  }
}
