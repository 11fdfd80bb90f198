// Runs benches one after the other, each in a process of its own: `npm run bench -- [NAME…] [--json]`. Prints a table row per
// figure, or with --json a line `{"name","ours","against","ratio","unit"}`. A bench that fails makes the exit code 1; a missed
// aim does not: the machine may be busy with other things.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { LEAN } from '../core/cli/lean.ts'
import { type Figure, ratioOf, row } from './report.ts'

const BENCHES = [
  'drain',
  'log-ingest',
  'latency',
  'memory',
  'cold-start',
  'distributor',
  'slow-disk',
  'enqueue',
  'assign',
  'crowd',
  'loaded',
  'maildir',
  'mail',
  'pb-codec',
  'pb-workers',
  'stock-ingest',
  'dead-irc',
  'plugins',
  'dead-smtp',
] as const

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true })
const unknown = positionals.filter((name) => !(BENCHES as readonly string[]).includes(name))
if (unknown.length > 0) {
  process.stderr.write(`There is no bench "${unknown.join('", "')}". Known: ${BENCHES.join(', ')}.\n`)
  process.exit(2)
}
const wanted = BENCHES.filter((name) => positionals.length === 0 || positionals.includes(name))
const WIDTHS = [46, 16, 52, 7, 10]
if (!values.json) print(['figure', 'ours', 'against', 'ratio', 'aim'])
const cache = join(tmpdir(), 'boltbot-bench-compiled')
let failed = false
for (const name of wanted) failed = !(await runBench(name)) || failed
process.exit(failed ? 1 : 0)

/** False when it ended badly. */
async function runBench(name: string): Promise<boolean> {
  const child = spawn(
    process.execPath,
    // As `boltbot start` runs a master.
    ['--disable-warning=ExperimentalWarning', '--expose-gc', ...LEAN.flags, join(import.meta.dirname, `${name}.ts`)],
    // An installed Boltbot is JavaScript: stripping the types of the sources anew in each process is not what is measured.
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...LEAN.environment, NODE_COMPILE_CACHE: cache } },
  )
  const ended = once(child, 'exit')
  for await (const line of createInterface(child.stdout)) show(JSON.parse(line) as Figure)
  const [code] = await ended
  if (code !== 0) process.stderr.write(`The bench "${name}" failed.\n`)
  return code === 0
}

function show(figure: Figure): void {
  const { name, ours, against, unit } = figure
  if (values.json) process.stdout.write(`${JSON.stringify({ name, ours, against, ratio: ratioOf(figure), unit })}\n`)
  else print(row(figure))
}

function print(cells: readonly string[]): void {
  process.stdout.write(
    `${cells
      .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
      .join(' ')
      .trimEnd()}\n`,
  )
}
