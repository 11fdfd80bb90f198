/**
 * What README, docs and the examples in the comments of plugin-sdk and plugins say in code is compiled; links lead somewhere.
 *
 * A block marked `ts` is a module of its own. Marked `ts fragment` it is a few statements: the names in `PRELUDE` are there, and
 * it may use `await`. Marked `ts file=NAME` it is that file, beside the other files of the same page; a NAME that ends in
 * `.test.ts` is run as well. Guides are followed from the tarball: test/package/guides.test.ts.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { moduleOf, readExamples } from './comment-examples.ts'

const root = resolve(import.meta.dirname, '..')
const pages = [
  ...globSync('*.md', { cwd: root }),
  ...globSync('docs/**/*.md', { cwd: root, exclude: ['docs/site/**'] }),
].sort()
// In the package, so that `boltbot/…` is found as a plugin author finds it; a dot in front keeps it out of everybody's tsconfig.
const folder = mkdtempSync(join(import.meta.dirname, '.docs-'))

const PRELUDE = `
import { builder, buildFactory, defineMaster, interpolate, masterLock, secret, slave, slaveLock, withProperties } from 'boltbot'
import { CiError, definePlugin, defineStep, hasCode, type BuildView, type Change, type Host, type StepContext } from 'boltbot/plugin-sdk'
import { shellCommand, compile, configure, test } from 'boltbot/plugins/steps'
declare const host: Host
declare const context: StepContext
declare const change: Change
declare const build: BuildView
const linux = slave({ name: 'bot-linux', password: secret('bot-linux') })
const bsd = slave({ name: 'bot-bsd', password: secret('bot-bsd') })
const full = builder({ name: 'full', slaves: [linux], factory: buildFactory([compile(), test()]) })
`

interface Block {
  readonly page: string
  readonly line: number
  readonly info: string
  readonly code: string
}

const blocks = pages.filter((page) => !page.startsWith('docs/guides/')).flatMap(blocksOf)
const examples = readExamples(root)
/** What stands in a file of the folder, and how many lines of ours stand before it. */
const placed = new Map<string, Pick<Block, 'page' | 'line'> & { readonly before: number }>()

before(() => {
  for (const [index, block] of blocks.entries()) {
    const name = block.info.match(/^ts file=(\S+)$/)?.[1] ?? `block-${index}.ts`
    const file = join(folder, block.page.replace(/[^\w]+/g, '-'), name)
    mkdirSync(dirname(file), { recursive: true })
    const isFragment = block.info === 'ts fragment'
    writeFileSync(file, isFragment ? `${PRELUDE}export async function fragment() {\n${block.code}}\n` : block.code)
    placed.set(file, { ...block, before: isFragment ? PRELUDE.split('\n').length : 0 })
  }
  for (const [index, example] of examples.entries()) {
    const file = join(folder, 'examples', `${index}-${example.name}.ts`)
    mkdirSync(dirname(file), { recursive: true })
    const { before: ours, code } = moduleOf(example, relative(join(folder, 'examples'), root))
    writeFileSync(file, ours + code)
    placed.set(file, { page: example.file, line: example.line, before: ours.split('\n').length })
  }
  const tsconfig = {
    extends: '../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    files: [...placed.keys()],
    include: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
})

after(() => rmSync(folder, { recursive: true, force: true }))

describe('README and docs', () => {
  it('mark their TypeScript in one of the known ways', () => {
    const odd = blocks.filter(({ info }) => !/^ts( fragment| file=[\w./-]+)?$/.test(info))
    assert.deepEqual(odd.map(place), [])
  })

  it('show code that compiles', { timeout: 60_000 }, async () => {
    assert.ok(blocks.length > 0 && examples.length > 120, 'there is code in the docs and the comments')
    const { code, output } = await run(join(root, 'node_modules/typescript/bin/tsc'), ['-p', folder])
    assert.equal(code, 0, withPlaces(output))
  })

  it('show tests that pass', { timeout: 60_000 }, async () => {
    const tests = [...placed.keys()].filter((file) => file.endsWith('.test.ts'))
    assert.ok(tests.length > 0, 'there is a test in the docs')
    const { code, output } = await run('--test', tests)
    assert.equal(code, 0, output)
  })

  it('link to files and headings that exist', () => {
    const broken = pages.flatMap((page) =>
      linksOf(page).flatMap((link) => (leadsSomewhere(page, link) ? [] : [`${page}: ${link}`])),
    )
    assert.deepEqual(broken, [])
  })

  it('are all reached from the README', () => {
    const reached = new Set(['README.md'])
    for (const page of reached) {
      for (const link of linksOf(page)) {
        const target = relative(root, resolve(root, dirname(page), link.replace(/#.*/, '')))
        for (const found of pages.includes(target) ? [target] : pages.filter((other) => dirname(other) === target))
          reached.add(found)
      }
    }
    assert.deepEqual(
      pages.filter((page) => !reached.has(page)),
      [],
    )
  })
})

function blocksOf(page: string): Block[] {
  const found: Block[] = []
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  for (let at = 0; at < lines.length; at++) {
    const info = /^```(.*)$/.exec(lines[at]!)?.[1]
    if (info === undefined) continue
    const end = lines.indexOf('```', at + 1)
    assert.notEqual(end, -1, `${page}:${at + 1}: the code block has no end`)
    const code = `${lines.slice(at + 1, end).join('\n')}\n`
    if (/^(ts|typescript)\b/.test(info)) found.push({ page, line: at + 1, info: info.trim(), code })
    at = end
  }
  return found
}

/** Links to this repository: no addresses, no code. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!).filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const target = path === '' ? join(root, page) : resolve(root, dirname(page), path)
  const stat = statSync(target, { throwIfNoEntry: false })
  if (stat === undefined || heading === undefined) return stat !== undefined
  return stat.isFile() && anchorsOf(readFileSync(target, 'utf8')).has(heading)
}

/** Headings as forges turn them into anchors. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, words]) =>
      words!
        .trim()
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

async function run(
  script: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  // Started by a test: its own reporter must not think that it is a part of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], { cwd: root, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (data: string) => (output += data))
  const { promise, resolve: ended, reject } = Promise.withResolvers<number | null>()
  child.on('error', reject).on('close', ended)
  return { code: await promise, output }
}

/** The compiler's complaints, at the lines of the pages. */
function withPlaces(output: string): string {
  return output.replace(/^(\S+?)\((\d+),(\d+)\)/gm, (all, file: string, line: string, column: string) => {
    const block = placed.get(resolve(root, file))
    if (block === undefined) return all
    return `${block.page}:${block.line + Number(line) - block.before}:${column}`
  })
}

const place = ({ page, line, info }: Block) => `${page}:${line} \`${info}\``
