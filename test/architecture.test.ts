import assert from 'node:assert/strict'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { type Node, parse } from 'acorn'
import { readSources, type Source } from './rig/sources.ts'

const shipped = readSources(['core', 'plugins', 'plugin-sdk', 'wire', 'slave'])
const all = [...shipped, ...readSources(['test', 'bench'])]

/** Who may import whom: the first row that fits a file says what it may import. `own` is its own room
 * (`plugins/vc/git/`), `family` the files beside its room (`plugins/schedulers/*.ts`). */
const EDGES: readonly (readonly [files: RegExp, may: readonly (RegExp | 'own' | 'family')[]])[] = [
  // What `boltbot new-plugin` copies: plugins as their authors write them.
  [/^plugin-sdk\/templates\//, ['own', /^plugin-sdk\/(index|testing\/index)\.ts$/]],
  // A rig is a whole master; suites have rigs, a real store, a real clock.
  [/^plugin-sdk\/testing\/(rig|suites)\//, [/^plugin-sdk\//, /^core\/(?!cli\/)/]],
  [/^plugin-sdk\/testing\//, [/^plugin-sdk\//]],
  [/^plugin-sdk\//, [/^plugin-sdk\/[^/]+$/]],
  [/^wire\//, [/^wire\//]],
  [/^slave\//, [/^slave\//, /^wire\//]],
  // The doors of a family name its members; what a whole family shares stands beside them.
  [/^plugins\/[a-z]+\/index\.ts$/, [/^plugins\/(schedulers|steps)\//, /^plugin-sdk\/index\.ts$/]],
  // Listening ports are shared by plugins of all families.
  [/^plugins\//, ['own', 'family', /^plugins\/ports\//, /^plugin-sdk\/index\.ts$/, /^wire\//]],
  // What a version control system tells its hooks is known in its own room.
  [
    /^core\/cli\/hook\//,
    [/^core\//, /^plugin-sdk\/index\.ts$/, /^wire\//, /^plugins\/vc\/(hook-room|[a-z]+\/hook)\.ts$/],
  ],
  [/^core\/cli\//, [/^core\//, /^plugin-sdk\/index\.ts$/, /^slave\//, /^wire\//]],
  [/^core\/index\.ts$/, [/^core\/(?!cli\/)/, /^plugin-sdk\/index\.ts$/]],
  // A program of its own, which also tries what the rest of core does with the plugins of a config.
  [
    /^core\/config\/evaluate-child\.ts$/,
    [/^core\/config\//, /^core\/(secrets|redact|plan\/apply-plugins)\.ts$/, /^plugin-sdk\/index\.ts$/],
  ],
  [/^core\/config\//, [/^core\/config\//, /^plugin-sdk\/index\.ts$/]],
  [/^core\/store\//, [/^core\/store\//, /^core\/(clock|errors|config\/model)\.ts$/, /^plugin-sdk\/index\.ts$/]],
  [/^core\/control\//, [/^core\/control\//, /^core\/master-api\.ts$/, /^plugin-sdk\/index\.ts$/]],
  [/^core\/http\//, [/^core\/(?!cli\/|master\.ts|index\.ts)/, /^plugin-sdk\/index\.ts$/, /^wire\/http-server\.ts$/]],
  // master.ts is the wiring: only the doors (command line, index) know it.
  [/^core\//, [/^core\/(?!cli\/|master\.ts|index\.ts)/, /^plugin-sdk\/index\.ts$/]],
]

/** Each npm package and the files that may use it. */
const OWNERS: Readonly<Record<string, RegExp>> = {
  tapable: /^core\/hooks\.ts$/,
  kysely: /^core\/store\//,
  pg: /^core\/store\/postgres\//,
  commander: /^core\/cli\//,
  acorn: /^core\/config\//,
  saxes: /^plugins\/vc\/xml\.ts$/,
  zod: /^plugins\/|^core\/control\/((chat|people)-)?methods\.ts$/,
  '@msgpack/msgpack': /^wire\//,
  '@lydell/node-pty': /^slave\/commands\/start-process\.ts$/,
  ws: /^slave\/|^plugins\/slaves\//,
  croner: /^plugins\/schedulers\//,
  'irc-framework': /^plugins\/status\/irc\//,
  nodemailer: /^plugins\/status\/mail\//,
  'smtp-server': /^core\/cli\/demo\//,
  mailparser: /^core\/cli\/demo\/|^plugins\/changes\/maildir\/|^plugin-sdk\/testing\/rig\//,
  chokidar: /^plugins\/changes\/maildir\//,
}

/** Where the outside world may be asked directly; everything else is given a clock, chance, a log or a platform. */
const AMBIENT: readonly (readonly [what: RegExp, where: RegExp])[] = [
  [/\bDate\.now\b|\bnew Date\(\)/, /^core\/clock\.ts$|^core\/cli\/|^slave\/clock\.ts$/],
  [
    /(?<![.\w])set(Timeout|Interval)\(/,
    /^core\/clock\.ts$|^core\/cli\/|^slave\/clock\.ts$|^plugin-sdk\/testing\/until\.ts$/,
  ],
  [/\bMath\.random\b/, /^core\/clock\.ts$|^slave\/main\.ts$/],
  [/\bconsole\.\w/, /^$/],
  [
    /(?<![.\w-])process\.\w/,
    // Entries of processes and threads; what starts and ends processes.
    /^core\/cli\/|^core\/config\/evaluate-child\.ts$|^slave\/|^plugins\/slaves\/(local\/|process\/|agent-)|^plugin-sdk\/testing\/leaks\.ts$/,
  ],
]

test('every file imports only what its part may', () => {
  const wrong = shipped.flatMap(({ path, imports }) => {
    const may = EDGES.find(([files]) => files.test(path))?.[1] ?? []
    const ours = imports.filter((name) => name.endsWith('.ts'))
    const allowed = (name: string) => may.some((rule) => fits(rule, path, name))
    return ours.filter((name) => !allowed(name)).map((name) => `${path} imports ${name}`)
  })
  assert.deepEqual(wrong, [])
})

test('every import of a file is there', () => {
  const known = new Set(all.map(({ path }) => path))
  const missing = all.flatMap(({ path, imports }) =>
    imports
      .filter((name) => /^(core|plugins|plugin-sdk|wire|slave)\/.*\.ts$/.test(name) && !known.has(name))
      .map((name) => `${path} imports ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('no file imports itself over others, not even for types', () => {
  const edges = new Map(shipped.map(({ path, imports }) => [path, imports.filter((name) => name.endsWith('.ts'))]))
  assert.deepEqual(findCycles(edges), [])
})

test('every npm package has its owner', () => {
  const wrong = shipped.flatMap(({ path, imports }) =>
    imports
      .filter((name) => !name.endsWith('.ts') && !name.startsWith('node:'))
      .filter((name) => !OWNERS[packageOf(name)]?.test(path))
      .map((name) => `${path} imports ${name}`),
  )
  assert.deepEqual(wrong, [])
})

test('what only a master over PostgreSQL needs is loaded when it is needed', () => {
  const elsewhere = shipped.filter(({ path }) => !path.startsWith('core/store/postgres/'))
  const loads = elsewhere.flatMap(({ path, text }) =>
    [...text.matchAll(/^(?:import|export)\b(?! type)[^;]*?from '([^']*postgres\/(?!place)[^']*)'/gm)].map(
      ([, name]) => `${path} imports ${name}`,
    ),
  )
  assert.deepEqual(loads, [])
})

test('nothing of the product loads the HTTP client behind fetch', () => {
  // An import of node:http does, if it is for more than types; templates are for others.
  const own = shipped.filter(({ path }) => !path.startsWith('plugin-sdk/templates/'))
  const loads = own.flatMap(({ path, text }) =>
    [...text.matchAll(/^import (?!type )(.*) from 'node:http'$/gm)].map(([, what]) => `${path} imports ${what}`),
  )
  assert.deepEqual(loads, [])
})

test('no file is longer than 300 lines', () => {
  const long = [...shipped, ...readSources(['bench'])].filter(({ text }) => text.trimEnd().split('\n').length > 300)
  assert.deepEqual(
    long.map(({ path }) => path),
    [],
  )
})

test('time, chance, the console and the process are asked only where listed', () => {
  const wrong = shipped.flatMap(({ path, code }) =>
    AMBIENT.filter(([what, where]) => what.test(code) && !where.test(path)).map(([what]) => `${path}: ${what.source}`),
  )
  assert.deepEqual(wrong, [])
})

test('files are named for what they are', () => {
  const odd = shipped.filter(({ path }) => !/^[a-z0-9./-]+$/.test(path) || /(utils|helpers|common|misc)\b/.test(path))
  assert.deepEqual(
    odd.map(({ path }) => path),
    [],
  )
})

test('nothing re-exports a whole file', () => {
  assert.deepEqual(
    shipped.filter(({ code }) => /export\s*\*/.test(code)).map(({ path }) => path),
    [],
  )
})

test('the body of a transition awaits nothing but its own transaction', () => {
  const wrong = shipped.filter(({ path }) => path.startsWith('core/')).flatMap(strayAwaits)
  assert.deepEqual(wrong, [])
})

function fits(rule: RegExp | 'own' | 'family', path: string, name: string): boolean {
  if (rule === 'own') return name.startsWith(roomOf(path))
  if (rule === 'family') return name.split('/').length === 3 && name.startsWith(familyOf(path))
  return rule.test(name)
}

const familyOf = (path: string) => path.split('/').slice(0, 2).join('/').concat('/')

/** The folder a plugin lives in: `plugins/status/mail/`. */
const roomOf = (path: string) => path.split('/').slice(0, 3).join('/').concat('/')

const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

/** Each cycle once, as `a → b → a`. */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, way: readonly string[]) => {
    const at = way.indexOf(file)
    if (at !== -1) cycles.push([...way.slice(at), file].join(' → '))
    if (at !== -1 || done.has(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...way, file])
    done.add(file)
  }
  for (const file of edges.keys()) visit(file, [])
  return cycles
}

interface Call extends Node {
  readonly callee: Node & { readonly name?: string; readonly property?: { readonly name?: string } }
  readonly arguments: readonly (Node & { readonly params?: readonly { readonly name?: string }[] })[]
}

/** Awaits in `transition(name, async (trx) => …)` whose expression does not mention `trx`. */
function strayAwaits({ path, text }: Source): readonly string[] {
  if (!/\btransition\(/.test(text)) return []
  const plain = stripTypeScriptTypes(text)
  const tree = parse(plain, { ecmaVersion: 'latest', sourceType: 'module', allowAwaitOutsideFunction: true })
  const found: string[] = []
  for (const node of nodesOf(tree)) {
    if (node.type !== 'CallExpression') continue
    const call = node as Call // acorn's nodes are told apart by `type`
    if ((call.callee.property?.name ?? call.callee.name) !== 'transition') continue
    const body = call.arguments.find((argument) => argument.params !== undefined)
    const trx = body?.params?.[0]?.name
    if (body === undefined || trx === undefined) continue
    const own = new RegExp(`\\b(${[trx, ...madeOf(body, trx, plain)].join('|')})\\b`)
    for (const inner of nodesOf(body)) {
      if (inner.type !== 'AwaitExpression') continue
      const source = plain.slice(inner.start, inner.end)
      if (!own.test(source)) found.push(`${path}: ${source.replace(/\s+/g, ' ').slice(0, 100)}`)
    }
  }
  return found
}

/** Variables of a body that are made of its transaction: queries, above all. */
function madeOf(body: Node, trx: string, plain: string): readonly string[] {
  const names: string[] = []
  for (const node of nodesOf(body)) {
    if (node.type !== 'VariableDeclarator') continue
    const { id, init } = node as Node & { readonly id: { readonly name?: string }; readonly init: Node | null }
    if (id.name && init && new RegExp(`\\b${trx}\\b`).test(plain.slice(init.start, init.end))) names.push(id.name)
  }
  return names
}

function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof (child as Node | null)?.type === 'string') yield* nodesOf(child as Node)
}
