import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One TypeScript file of the project, for tests about the house. */
export interface Source {
  /** From the project's folder: `core/log.ts`. */
  readonly path: string
  readonly text: string
  /** The text without comments, strings and templates: what is left is code. */
  readonly code: string
  /** What it imports, types included: files of the project by path, everything else by name. */
  readonly imports: readonly string[]
}

/** All TypeScript files of these folders, tracked or new. */
export function readSources(folders: readonly string[]): readonly Source[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...folders]
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\n')
  return [...new Set(listed)].filter((path) => /\.ts$/.test(path) && !/\.d\.ts$/.test(path)).flatMap(readSource)
}

function readSource(path: string): readonly Source[] {
  let text: string
  try {
    text = readFileSync(join(ROOT, path), 'utf8')
  } catch {
    return [] // tracked, but removed since
  }
  const plain = withoutComments(text)
  const imports = [...plain.matchAll(IMPORT)].map((match) => resolveImport(path, match[1] ?? match[2] ?? match[3]!))
  return [
    {
      path,
      text,
      code: plain.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''"),
      imports: [...new Set(imports)],
    },
  ]
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|\bimport\s*\(\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'/g

/** Comments and templates away; strings stay, as imports are in them. */
function withoutComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
  return text.replace(token, (found) => {
    if (found.startsWith('/')) return ''
    if (!found.startsWith('`')) return found
    // What stands in the holes of a template is code.
    return [...found.matchAll(/\$\{([^{}]*)\}/g)].map((hole) => `(${hole[1]})`).join(' ') || "''"
  })
}

function resolveImport(from: string, name: string): string {
  if (name.startsWith('.')) return posix.join(dirname(from), name)
  if (name === 'boltbot') return 'core/index.ts'
  if (name.startsWith('boltbot/')) return `${name.slice('boltbot/'.length)}/index.ts`
  return name
}
