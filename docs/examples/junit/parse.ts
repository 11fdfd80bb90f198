export interface TestResult {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** What a failed test said; else empty. */
  readonly message: string
}

/** The test cases of a JUnit XML report. Reports are flat and made by programs: no document tree is needed for them. */
export function parseJUnit(xml: string): readonly TestResult[] {
  const results: TestResult[] = []
  for (const [, head = '', body = ''] of xml.matchAll(
    /<testcase\b((?:[^>"']|"[^"]*"|'[^']*')*?)(?:\/>|>(.*?)<\/testcase>)/gs,
  )) {
    const name = [attribute(head, 'classname'), attribute(head, 'name')].filter((part) => part !== '').join('.')
    const bad = /<(failure|error)\b((?:[^>"']|"[^"]*"|'[^']*')*?)(?:\/>|>(.*?)<\/\1>)/s.exec(body)
    const message = bad ? [attribute(bad[2] ?? '', 'message'), textOf(bad[3] ?? '')].filter(Boolean).join('\n') : ''
    results.push({ name, outcome: bad ? 'failed' : /<skipped\b/.test(body) ? 'skipped' : 'passed', message })
  }
  return results
}

function attribute(head: string, name: string): string {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(head)
  return decoded(found?.[1] ?? found?.[2] ?? '')
}

function textOf(body: string): string {
  return body
    .split(/(<!\[CDATA\[.*?\]\]>)/s)
    .map((part) => (part.startsWith('<![CDATA[') ? part.slice(9, -3) : decoded(part)))
    .join('')
    .trim()
}

const SIGNS: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decoded(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return SIGNS[name] ?? all
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}

/** The tests of TAP output, subtests left to their parent. */
export function parseTap(text: string): readonly TestResult[] {
  const results: { name: string; outcome: TestResult['outcome']; message: string }[] = []
  for (const line of text.split(/\r?\n/)) {
    const found = /^(not )?ok\b\s*\d*\s*(?:- )?(.*?)(?:\s+#\s*(skip|todo)\b.*)?$/i.exec(line)
    if (found) {
      const [, not, name = '', directive] = found
      const outcome = directive ? 'skipped' : not ? 'failed' : 'passed'
      results.push({ name, outcome, message: '' })
    } else if (/^\s+\S/.test(line) && results.at(-1)?.outcome === 'failed') {
      const last = results.at(-1)!
      last.message = last.message === '' ? line.trim() : `${last.message}\n${line.trim()}`
    }
  }
  return results
}
