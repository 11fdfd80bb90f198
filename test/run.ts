// Runs the tests, suite by suite. `--fast` leaves out what needs a peer or a long run; `--suite NAME` runs one; with
// BOLTBOT_REQUIRE_PEERS=1 a peer suite that was skipped is a failure. The last line counts: `N passed, N failed, N skipped`.
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { parseArgs } from 'node:util'

interface Suite {
  readonly name: string
  readonly files: readonly string[]
  /** Seconds it should take on two processors; more is told, but no failure. */
  readonly budget: number
  readonly fast: boolean
  /** Needs programs that may not be installed. */
  readonly peers?: true
}

const SUITES: readonly Suite[] = [
  { name: 'house', files: ['test/*.test.ts'], budget: 15, fast: true },
  {
    name: 'sdk',
    files: ['test/{plugin-sdk,wire}/**/*.test.ts', 'plugin-sdk/templates/*/*.test.ts'],
    budget: 10,
    fast: true,
  },
  { name: 'examples', files: ['docs/examples/*/*.test.ts', 'test/examples/*.test.ts'], budget: 15, fast: true },
  {
    name: 'core',
    files: [
      'test/core/*.test.ts',
      'test/core/{chat,config,control,http,outbox,people,slaves,store}/**/*.test.ts',
      'test/core/host/[!w]*.test.ts',
    ],
    budget: 60,
    fast: true,
  },
  { name: 'plugins', files: ['test/plugins/{schedulers,services,steps}/**/*.test.ts'], budget: 30, fast: true },
  // With real daemons, slaves, threads of plugins, repositories, mail and web servers.
  {
    name: 'parts',
    files: [
      'test/core/cli/**/*.test.ts',
      'test/core/host/w*.test.ts',
      'test/plugins/{slaves,status,vc}/**/*.test.ts',
      'test/slave/**/*.test.ts',
    ],
    budget: 90,
    fast: false,
  },
  { name: 'simulation', files: ['test/simulation/*-half.test.ts'], budget: 90, fast: false },
  { name: 'mutations', files: ['test/simulation/mutations.test.ts'], budget: 90, fast: false },
  { name: 'faults', files: ['test/faults/*.test.ts'], budget: 180, fast: false },
  { name: 'sources', files: ['test/plugins/changes/*.test.ts'], budget: 60, fast: false },
  { name: 'package', files: ['test/package/**/*.test.ts'], budget: 120, fast: false },
  { name: 'e2e', files: ['test/e2e/**/*.test.ts'], budget: 240, fast: false },
  { name: 'peers', files: ['test/peers/**/*.test.ts'], budget: 480, fast: false, peers: true },
]

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const { values } = parseArgs({ options: { fast: { type: 'boolean' }, suite: { type: 'string', multiple: true } } })
const wanted = SUITES.filter(({ name, fast }) => (values.suite ? values.suite.includes(name) : fast || !values.fast))
process.chdir(resolve(import.meta.dirname, '..'))
let total: Counts = { passed: 0, failed: 0, skipped: 0 }
for (const suite of wanted) {
  const counts = await runSuite(suite)
  total = {
    passed: total.passed + counts.passed,
    failed: total.failed + counts.failed,
    skipped: total.skipped + counts.skipped,
  }
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exit(total.failed > 0 ? 1 : 0)

async function runSuite({ name, files, budget, peers }: Suite): Promise<Counts> {
  const found = files.flatMap((pattern) => globSync(pattern)).sort()
  if (found.length === 0) return { passed: 0, failed: 0, skipped: 0 }
  const began = performance.now()
  const stream = run({
    files: found.map((file) => resolve(file)),
    // A process for each file costs a quarter of a second, and what one leaks is never blamed on another.
    isolation: 'process',
    // Who talks with servers waits for most of the time.
    concurrency: availableParallelism() + (peers ? 1 : 0),
    execArgv: ['--disable-warning=ExperimentalWarning'],
    timeout: 180_000,
  })
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for await (const { type, data } of stream) {
    if (type === 'test:pass' && data.skip !== undefined) say(`  skipped: ${data.name}${reasonOf(data.skip)}`)
    if (type === 'test:fail' && data.todo === undefined) say(failure(data))
    if (type === 'test:stderr') process.stderr.write(data.message)
    if (type === 'test:summary' && data.file === undefined) {
      counts.passed = data.counts.passed
      counts.failed = data.counts.failed + data.counts.cancelled
      counts.skipped = data.counts.skipped
      if (!data.success && counts.failed === 0) counts.failed = 1
    }
  }
  if (peers && counts.skipped > 0 && process.env.BOLTBOT_REQUIRE_PEERS === '1') {
    say(`  ${counts.skipped} peer tests were skipped, but all peers are required here`)
    counts.failed += counts.skipped
  }
  const seconds = (performance.now() - began) / 1000
  const late = seconds > budget ? ', OVER its budget' : ''
  const tests = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
  say(`${name}: ${tests} in ${seconds.toFixed(1)} s (budget ${budget} s${late})`)
  return counts
}

interface Failed {
  readonly name: string
  readonly file?: string | undefined
  readonly details: { readonly error: Error & { readonly cause?: unknown; readonly failureType?: string } }
}

function failure({ name, file, details: { error } }: Failed): string {
  // A test with subtests fails because they do; those have told it.
  if (error.failureType === 'subtestsFailed') return `  failed: ${name}`
  const { cause } = error
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : error.message
  const where = file === undefined ? '' : ` (${relative('.', file)})`
  return `  failed: ${name}${where}\n${text.replace(/^/gm, '      ')}`
}

function reasonOf(skip: boolean | string): string {
  return typeof skip === 'string' && skip !== '' ? ` (${skip})` : ''
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
