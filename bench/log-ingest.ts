// Claim: the output of a step, a million lines of 80 bytes, is stored at half the pace, or better, at which the same command
// writes into a file; the master spends at most 10 ms of CPU a MB on it and never takes more than 150 MB of memory.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgent } from './agent-process.ts'
import { PLAIN_AND_LOADED, rowName } from './load.ts'
import { type MasterProcess, startMasterProcess } from './master-process.ts'
import { median, report } from './report.ts'

const ROUNDS = 5
const LINES = 1_000_000
const MEGABYTES = (LINES * 80) / 1e6
const PROGRAM = `BEGIN { for (i = 0; i < ${LINES}; i++) printf "%010d a line of output as compilers and tests print, 80 bytes with its end\\n", i }`

for (const loaded of PLAIN_AND_LOADED) await measure(loaded)

async function measure(loaded: boolean): Promise<void> {
  await using master = await startMasterProcess({ slaves: ['bot'], command: ['awk', PROGRAM], loaded })
  await using _agent = await startAgent('bot', 'secret', master.port)
  await master.call('attached')
  await build(master)
  const ours: number[] = []
  const bare: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(MEGABYTES / (await intoFile()))
    const before = await master.call('usage')
    ours.push(MEGABYTES / (await build(master)))
    cpu.push(((await master.call('usage')).cpuMs - before.cpuMs) / MEGABYTES)
  }
  report({
    name: rowName('log ingest', loaded),
    ours: median(ours),
    against: median(bare),
    unit: 'MB/s',
    limit: 'the command into a file',
    aim: { atLeast: 0.5 },
  })
  report({
    name: rowName('log ingest, CPU of the master', loaded),
    ours: median(cpu),
    against: 10,
    unit: 'ms/MB',
    limit: 'the aim; stock Buildbot 217',
    aim: { atMost: 1 },
  })
  report({
    name: rowName('log ingest, peak memory of the master', loaded),
    ours: (await master.call('usage')).peakBytes / 1e6,
    against: 150,
    unit: 'MB',
    limit: 'the aim; stock Buildbot 173',
    aim: { atMost: 1 },
  })
}

/** Seconds of a build that runs the command. */
async function build(master: MasterProcess): Promise<number> {
  const from = performance.now()
  await master.call('enqueue', 1)
  await master.call('drained')
  return (performance.now() - from) / 1000
}

/** Seconds of the command, written into a file. */
async function intoFile(): Promise<number> {
  const path = join(tmpdir(), `boltbot-bench-${process.pid}.log`)
  const fd = openSync(path, 'w')
  try {
    const from = performance.now()
    await once(spawn('awk', [PROGRAM], { stdio: ['ignore', fd, 'inherit'] }), 'close')
    return (performance.now() - from) / 1000
  } finally {
    closeSync(fd)
    rmSync(path)
  }
}
