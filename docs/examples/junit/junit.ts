import { defineStep, type StepContext } from 'boltbot/plugin-sdk'
import { parseJUnit, parseTap, type TestResult } from './parse.ts'

export interface TestReportOptions {
  /** Files of JUnit XML, in the builder's directory; default: all below `build` that look like it. */
  readonly junit?: string
  /** Files of TAP. */
  readonly tap?: string
}

/** Reads what a test run left behind and says which tests failed; the rest of the build may go on. */
export const testReport = defineStep({
  name: 'test report',
  flags: { flunkOnFailure: true, alwaysRun: true },
  describe: () => ({ running: ['reading', 'results'], done: ['tests'] }),
  async run(context, { junit = 'build/**/TEST-*.xml', tap }: TestReportOptions) {
    const tests: TestResult[] = []
    for (const text of await readAll(context, junit)) tests.push(...parseJUnit(text))
    if (tap !== undefined) for (const text of await readAll(context, tap)) tests.push(...parseTap(text))
    if (tests.length === 0) return { result: 'warnings', text: ['no test results'] }
    const failed = tests.filter((test) => test.outcome === 'failed')
    for (const { name, message } of failed) await context.write('failed', 'stdout', `${name}\n${message}\n\n`)
    const skipped = tests.filter((test) => test.outcome === 'skipped').length
    context.setProperty('tests', { total: tests.length, failed: failed.length, skipped })
    context.setProperty('failed_tests', failed.map(({ name }) => name).slice(0, 100))
    const words = [`${tests.length} tests`, ...(failed.length > 0 ? [`${failed.length} failed`] : [])]
    return { result: failed.length > 0 ? 'failure' : 'success', text: words }
  },
})

/** The texts of the files that fit a pattern. */
async function readAll(context: StepContext, pattern: string): Promise<readonly string[]> {
  const found = await context.run({ kind: 'glob', pattern })
  const texts: string[] = []
  for (const path of Array.isArray(found.data) ? found.data.map(String) : []) {
    const chunks: Uint8Array[] = []
    const receive = async (_offset: number, data: Uint8Array) => void chunks.push(data.slice())
    const result = await context.run({ kind: 'upload', path, maxSize: 10_000_000 }, { receive })
    if (result.cause === 'exit') texts.push(Buffer.concat(chunks).toString('utf8'))
    else await context.write('stdio', 'stderr', `${path}: ${result.error}\n`)
  }
  return texts
}
