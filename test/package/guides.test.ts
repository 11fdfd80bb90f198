/**
 * Follows the guides as printed, each in an empty folder beside the installed tarball: writes their files, runs their commands, compares what they
 * print with the `text` block behind them, and compiles every snippet.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import { ROOT } from '../rig/sources.ts'
import { env, type Installed, installTarball, runIn } from './install.ts'

const GUIDES = [
  'first-status-target',
  'first-change-source',
  'first-scheduler',
  'first-step',
  'tcp-service',
  'http-route',
  'durable-delivery',
  'configuration-and-secrets',
  'testing',
  'publishing',
] as const

let installed: Installed
before(async () => {
  installed = await installTarball()
})
after(() => installed[Symbol.asyncDispose]())

test('every guide is followed, and stands on the index', async () => {
  const index = await readFile(join(ROOT, 'docs/guides/README.md'), 'utf8')
  const listed = [...index.matchAll(/^\d+\. \[.*\]\((.*)\.md\)$/gm)].map((match) => match[1])
  assert.deepEqual(listed, GUIDES)
})

test('a first plugin takes at most 8 commands and 40 typed lines', async () => {
  const blocks = await blocksOf('first-status-target')
  const commands = blocks.flatMap(({ info, lines }) => (info === 'sh' ? lines : []))
  const typed = blocks
    .flatMap(({ info, lines }) => (info.startsWith('ts ') ? lines : []))
    .filter((line) => line.trim() !== '')
  const count = commands.flatMap((line) => line.split(/&&|;|\|/)).length
  assert.ok(count <= 8, `${count} commands`)
  assert.ok(typed.length <= 40, `${typed.length} lines`)
})

// Two at once: each waits mostly for processes of its own.
describe('the guides work as printed', { concurrency: 2 }, () => {
  for (const guide of GUIDES)
    it(guide, async () => {
      const walk: Walk = { folder: join(installed.path, guide), snippets: 0, printed: '', isRunning: false }
      await mkdir(walk.folder)
      await writeFile(join(walk.folder, 'package.json'), '{"private":true}')
      try {
        for (const block of await blocksOf(guide)) await follow(walk, block, guide)
      } finally {
        // A walk that broke off leaves no master running.
        if (walk.isRunning) await runIn(walk.folder, 'npx', '--no-install', 'boltbot', 'stop', '.', '--force')
      }
      await compile(walk.folder)
    })
})

interface Block {
  readonly info: string
  readonly lines: readonly string[]
}

interface Walk {
  /** Where the reader stands. */
  folder: string
  snippets: number
  /** What the last commands printed. */
  printed: string
  isRunning: boolean
}

async function follow(walk: Walk, { info, lines }: Block, guide: string): Promise<void> {
  const [language, mark = ''] = info.split(' ')
  const text = `${lines.join('\n')}\n`
  if (info === 'sh') {
    let printed = ''
    for (const line of lines) printed += await runLine(walk, line)
    walk.printed = printed
  } else if (language === 'text') {
    for (const line of lines) assert.ok(walk.printed.includes(line), `${guide}: "${line}" is not in:\n${walk.printed}`)
  } else if (mark.startsWith('file=')) await place(walk.folder, mark.slice(5), text)
  else if (mark.startsWith('edit=')) await edit(join(walk.folder, mark.slice(5)), lines)
  else if (info === 'ts') await place(walk.folder, `snippet-${walk.snippets++}.ts`, text)
  else assert.equal(info, 'sh skip', `${guide}: a block of a kind that nothing follows`)
}

async function place(folder: string, name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), text)
}

/** Imports on top, the rest behind `defineMaster({`: as the index of the guides says. */
async function edit(file: string, lines: readonly string[]): Promise<void> {
  const imports = lines.filter((line) => line.startsWith('import '))
  const rest = lines.filter((line) => !line.startsWith('import '))
  const before = await readFile(file, 'utf8')
  const after = `${imports.join('\n')}\n${before}`.replace(
    /defineMaster\(\{\n/,
    (found) => `${found}${rest.join('\n')}\n`,
  )
  assert.notEqual(before, after)
  await writeFile(file, after)
}

/** In a shell as the reader's; where that ends up the next one begins. */
async function runLine(walk: Walk, line: string): Promise<string> {
  const command = line === 'npm install boltbot' ? `npm install '${installed.tarball}'` : line
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; out: string }>()
  execFile(
    'bash',
    ['-c', `${command}\ncode=$?; echo "@@ $PWD"; exit $code`],
    { cwd: walk.folder, env, timeout: 120_000 },
    (error, stdout, stderr) => resolve({ code: error?.code ?? (error ? 1 : 0), out: stdout + stderr }),
  )
  const { code, out } = await promise
  walk.folder = /^@@ (.*)$/m.exec(out)?.[1] ?? walk.folder
  const printed = out.replace(/^@@ .*\n/m, '')
  assert.equal(code, 0, `$ ${line}\n${printed}`)
  if (/boltbot (start|stop)\b/.test(line)) walk.isRunning = line.includes(' start')
  return printed
}

async function compile(folder: string): Promise<void> {
  await runIn(folder, process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', '.')
}

async function blocksOf(guide: string): Promise<readonly Block[]> {
  const page = await readFile(join(ROOT, 'docs/guides', `${guide}.md`), 'utf8')
  return [...page.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(([, info, text]) => ({
    info: info!,
    lines: text!.replace(/\n$/, '').split('\n'),
  }))
}
