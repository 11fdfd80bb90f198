import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { type ResolveFnOutput, type ResolveHookContext, type ResolveHookSync, registerHooks } from 'node:module'
import { dirname, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fileOfUrl, isBelow } from './positions.ts'

/**
 * The generation of the first reading in a process. It has one name everywhere, so that a master finds compiled what the process that
 * checked its config has compiled, and need not load the compiler.
 */
export const FIRST_READING = 'first'

/** A config file as read: what it exports by default, and the files it is made of. */
export interface Imported {
  readonly exported: unknown
  /** Content hash of `file` and of all files of the config's folder it imports, directly or not; '' for files elsewhere. */
  hashOf(file: string): string
}

export interface ImportedModule {
  readonly exports: Readonly<Record<string, unknown>>
  /** As `Imported.hashOf` gives it. */
  readonly hash: string
}

export interface Importer extends Disposable {
  /**
   * Evaluates a config file anew, with every file of its folder that it imports; installed packages keep their identity. The name
   * `boltbot` always means this program, so that both sides have the same classes and symbols.
   */
  read(file: string, generation: string): Promise<Imported>
  /** Evaluates another file of a config's folder, or an installed one, in the same way: with all it exports, and the hash of its graph. */
  readModule(file: string, folder: string, generation: string): Promise<ImportedModule>
  /** The files of the folder that were loaded for a generation, also when its evaluation failed. */
  filesOf(generation: string): readonly string[]
}

/** Module loading for configs. Keep it as long as its configs are in use: it also serves imports they make later. */
export function createImporter(): Importer {
  const runs = new Map<string, Run>()
  const runOf = (url: string | undefined) => runs.get(/[?&]gen=([^&#]+)/.exec(url ?? '')?.[1] ?? '')

  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const run = runOf(context.parentURL)
      if (!run) return next(specifier, context)
      const own = specifier === 'boltbot' || specifier.startsWith('boltbot/')
      const found = own ? resolveOwn(specifier, context, next) : next(specifier, context)
      const file = fileOfUrl(found.url)
      if (own || file === undefined || !isBelow(file, run.folder)) return found
      run.imports.get(fileOfUrl(context.parentURL ?? '') ?? '')?.add(file)
      return { ...found, url: withGeneration(found.url, run.generation) }
    },
    load(url, context, next) {
      const loaded = next(url, context)
      const run = runOf(url)
      const file = fileOfUrl(url)
      if (run && file !== undefined) {
        run.imports.set(file, run.imports.get(file) ?? new Set())
        run.contents.set(file, createHash('sha256').update(sourceOf(loaded.source, file)).digest('hex'))
      }
      return loaded
    },
  })

  const evaluate = async (file: string, folder: string, generation: string) => {
    const run: Run = { folder, generation, imports: new Map(), contents: new Map() }
    runs.set(generation, run)
    const { href } = pathToFileURL(file)
    // Installed files keep their identity.
    const exports: Imports = await import(isBelow(file, folder) ? withGeneration(href, generation) : href)
    return { exports, hashOf: (from: string) => hashGraph(run, from) }
  }

  return {
    async read(file, generation) {
      const { exports, hashOf } = await evaluate(file, dirname(file), generation)
      return { exported: exports.default, hashOf }
    },
    async readModule(file, folder, generation) {
      const { exports, hashOf } = await evaluate(file, folder, generation)
      return { exports, hash: hashOf(file) }
    },
    filesOf: (generation) => [...(runs.get(generation)?.contents.keys() ?? [])],
    [Symbol.dispose]: () => hooks.deregister(),
  }
}

/** An export of this program, whatever `node_modules` says; the error names the file that asked. */
function resolveOwn(specifier: string, context: ResolveHookContext, next: NextResolve): ResolveFnOutput {
  const parent = fileOfUrl(context.parentURL ?? '') // read now: Node writes into the context
  const fail = () => {
    const message = `Cannot find module '${specifier}' imported from ${parent}`
    return Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' })
  }
  let found: ResolveFnOutput
  try {
    found = next(specifier, { ...context, parentURL: import.meta.url })
  } catch {
    throw fail() // Node's own message names this file instead
  }
  const file = fileOfUrl(found.url)
  if (file !== undefined && !existsSync(file)) throw fail()
  return found
}

type Imports = ImportedModule['exports']

type NextResolve = Parameters<ResolveHookSync>[2]

interface Run {
  readonly folder: string
  readonly generation: string
  /** Files of the folder, each with those it imports. */
  readonly imports: Map<string, Set<string>>
  readonly contents: Map<string, string>
}

function hashGraph(run: Run, from: string): string {
  if (!run.contents.has(from)) return ''
  const files = new Set([from])
  for (const file of files) for (const next of run.imports.get(file) ?? []) files.add(next)
  const hash = createHash('sha256')
  for (const file of [...files].sort()) hash.update(`${relative(run.folder, file)}\0${run.contents.get(file)}\n`)
  return hash.digest('hex')
}

function withGeneration(url: string, generation: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}gen=${generation}`
}

/** What was evaluated; loaders of CommonJS leave the reading to later, so the file is read here. */
function sourceOf(source: unknown, file: string): string | Uint8Array {
  if (typeof source === 'string' || source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  return readFileSync(file)
}
