import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HOOK_KINDS } from '../plugin-sdk/hooks.ts'
import { NEEDS } from '../plugin-sdk/needs.ts'
import { ROOT, readSources } from './rig/sources.ts'

const shipped = readSources(['core', 'plugins', 'plugin-sdk', 'wire', 'slave'])
const core = shipped.filter(({ path }) => path.startsWith('core/'))
const tests = readSources(['test'])
const hooks = Object.entries(HOOK_KINDS)
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test('every hook is on its page, in order, with its kind, and nothing else is', () => {
  const sections = read('docs/hooks.md').split(/^### /m).slice(1)
  assert.deepEqual(
    sections.map((section) => section.split('\n')[0]!.replaceAll('`', '').trim()),
    hooks.map(([name]) => name),
  )
  for (const [i, [name, kind]] of hooks.entries()) assert.match(sections[i]!, new RegExp(`Kind: ${kind}\\b`), name)
})

test('the name of every hook tells its kind', () => {
  for (const [name, kind] of hooks) {
    if (kind === 'observe') assert.match(name, /^(?!refine|choose|guard)[a-z]+(?=[A-Z])\w*(ed|ing|Lost|Back)$/, name)
    else assert.ok(name.startsWith(kind), `${name} is of kind ${kind}`)
  }
})

test('every hook is fired in exactly one file of core', () => {
  const wrong = hooks.flatMap(([name, kind]) => {
    const call =
      kind === 'guard' ? `\\bhooks\\.guard\\(|\\bguard: hooks\\.guard\\b` : `\\b(?:tell|refine|choose)\\(\\s*'${name}'`
    const files = core.filter(({ text }) => new RegExp(call).test(text)).map(({ path }) => path)
    return files.length === 1 ? [] : [`${name} is fired in ${files.join(', ') || 'no file'}`]
  })
  assert.deepEqual(wrong, [])
})

test('every hook is tapped in a test', () => {
  const untapped = hooks.filter(([name]) => !tests.some(({ text }) => new RegExp(`\\btap\\(\\s*'${name}'`).test(text)))
  assert.deepEqual(
    untapped.map(([name]) => name),
    [],
  )
})

test('every need of plugins is on its page, and nothing else is', () => {
  const table =
    read('docs/writing-plugins.md')
      .split(/^## Needs$/m)[1]
      ?.split(/^```/m)[0] ?? ''
  const rows = [...table.matchAll(/^\| ([^|]*) \|/gm)].flatMap((row) => [...row[1]!.matchAll(/`([a-z:]+)`/g)])
  assert.deepEqual(
    rows.map((match) => match[1]!).filter((need) => need !== 'secrets:smtp'),
    Object.keys(NEEDS),
  )
})

/** Codes of the errors that `errors.ts` files make; the SDK and its test kit have some as well. */
const CODE = /'(BOLT_[A-Z]+_[A-Z0-9_]+)'/g

test('errors are made in errors.ts only, each code in one place', () => {
  const places = shipped.flatMap(({ path, text }) =>
    [...text.matchAll(/\bcode: '(BOLT_\w+)'/g)].map((match) => ({ code: match[1]!, path })),
  )
  // What a contract of the SDK promises is made by everybody who keeps it.
  const contract = new Set(
    shipped
      .filter(({ path }) => /^plugin-sdk\/[^/]+$/.test(path))
      .flatMap(({ text }) => [...text.matchAll(/`(BOLT_\w+)`/g)].map((match) => match[1]!)),
  )
  const elsewhere = places.filter(({ path }) => !/(^|\/)errors\.ts$/.test(path) && !path.startsWith('plugin-sdk/'))
  assert.deepEqual(elsewhere, [])
  const codes = places.map(({ code }) => code).filter((code) => !contract.has(code))
  assert.deepEqual(
    codes.filter((code, i) => codes.indexOf(code) !== i),
    [],
  )
})

test('every error code is on its page, and every code of the page is made', () => {
  const sources = shipped.filter(({ path }) => /(^|\/)errors\.ts$/.test(path) || path.startsWith('plugin-sdk/'))
  const made = new Set(sources.flatMap(({ text }) => [...withoutDocs(text).matchAll(CODE)].map((match) => match[1]!)))
  const page = new Set([...read('docs/errors.md').matchAll(/^\| `(BOLT_\w+)`/gm)].map((match) => match[1]!))
  assert.deepEqual(
    [...made].filter((code) => !page.has(code)),
    [],
    'made, but not on the page',
  )
  assert.deepEqual(
    [...page].filter((code) => !made.has(code)),
    [],
    'on the page, but not made',
  )
})

test('every error message is a sentence', () => {
  const wrong = shipped.flatMap(({ path, text }) =>
    [...text.matchAll(/\bmessage: ([`'])((?:\\.|(?!\1).)*)\1,$/gm)]
      .map((match) => match[2]!)
      .filter((message) => /errors\.ts$/.test(path) && !/^["A-Z$]/.test(message))
      .map((message) => `${path}: ${message}`),
  )
  assert.deepEqual(wrong, [])
})

const withoutDocs = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '')
