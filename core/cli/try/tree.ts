import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { treeFailed, treeUnknown } from '../errors.ts'
import { readers } from './readers.ts'
import type { Kind, RunTool, TreeOptions, TreeState } from './tree-reader.ts'

const MARKS: readonly (readonly [mark: string, kind: Kind])[] = [
  ['.git', 'git'],
  ['.hg', 'hg'],
  ['.svn', 'svn'],
  ['_darcs', 'darcs'],
  ['.bzr', 'bzr'],
  ['{arch}', 'tla'],
  ['CVS', 'cvs'],
]

const MARK_OF = new Map(MARKS.map(([mark, kind]) => [kind, mark] as const))
const run = promisify(execFile)

/** Reads the working tree around a folder. @throws CiError `BOLT_CLI_TREE`, `BOLT_CLI_TREE_UNKNOWN`. */
export async function readTree(kind: Kind | undefined, options: TreeOptions): Promise<TreeState> {
  const found = kind ?? kindOf(options.folder)
  const top = topOf(found, options)
  return readers[found](toolIn(found, top), options)
}

function kindOf(folder: string): Kind {
  for (const at of upwards(folder)) for (const [mark, kind] of MARKS) if (existsSync(join(at, mark))) return kind
  throw treeUnknown(folder)
}

/** The topmost folder with the mark, of which some kinds have one in each folder. */
function topOf(kind: Kind, { folder, top, topFile }: TreeOptions): string {
  if (top !== undefined) return top
  const wanted = topFile ?? MARK_OF.get(kind)!
  const having = [...upwards(folder)].filter((at) => existsSync(join(at, wanted)))
  const place = topFile === undefined && (kind === 'svn' || kind === 'cvs') ? having.at(-1) : having[0]
  if (place === undefined) throw treeUnknown(folder)
  return place
}

function* upwards(folder: string): Generator<string> {
  for (let at = folder; ; at = dirname(at)) {
    yield at
    if (at === dirname(at)) return
  }
}

function toolIn(tool: string, folder: string): RunTool {
  const bytes = async (args: readonly string[], codes: readonly number[] = []): Promise<Uint8Array> => {
    try {
      const { stdout } = await run(tool, args, {
        cwd: folder,
        encoding: 'buffer',
        maxBuffer: 2 ** 30,
        env: ENVIRONMENT(),
      })
      return stdout
    } catch (error) {
      const { code, stdout, stderr } = error as {
        readonly code?: unknown
        readonly stdout?: Buffer
        readonly stderr?: Buffer
      }
      if (typeof code === 'number' && codes.includes(code) && stdout) return stdout
      throw treeFailed(tool, args, stderr?.toString().trim() || (error as Error).message, error)
    }
  }
  const text = async (args: readonly string[]) =>
    Buffer.from(await bytes(args))
      .toString()
      .trim()
  const file = (path: string) => {
    try {
      return readFileSync(join(folder, path))
    } catch (error) {
      throw treeFailed(tool, [path], (error as Error).message, error)
    }
  }
  return { bytes, text, file, maybe: (args) => text(args).catch(() => null) }
}

/** Words of tools are read here, so they must be in English. */
const ENVIRONMENT = () => ({ ...process.env, LC_ALL: 'C.UTF-8', HGPLAIN: '1' })
