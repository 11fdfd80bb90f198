import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import type { Position } from 'acorn'
import { messageOf } from 'boltbot/plugin-sdk'
import { formerExport, nearModule } from './former-names.ts'
import { parseSource } from './parse-source.ts'
import { fileOfUrl, type Place, type Positions } from './positions.ts'
import type { Problem } from './problem.ts'

/** What went wrong while a config was evaluated (syntax, a missing import, a throw), with the place in its sources. */
export function evaluationProblem(
  file: string,
  error: unknown,
  positions: Positions,
  files: readonly string[],
): Problem {
  const stack = error instanceof Error ? error.stack : undefined
  const message = messageOf(error)
  if (error instanceof SyntaxError || codeOf(error).includes('TYPESCRIPT_SYNTAX')) {
    const source = fileOfFirstLine(stack) ?? file
    const export_ = /requested module '([^']+)' does not provide an export named '([^']+)'/.exec(message)
    if (export_)
      return { ...textPlace(source, stack, export_[2]!), path: 'import', message: wrongExport(message, export_) }
    const place = syntaxPlace(stack ?? '', files) ?? positions.inStack(stack) ?? textPlace(source, stack, undefined)
    return { ...place, path: 'syntax', message: `It is not valid TypeScript or JavaScript: ${sentence(message)}` }
  }
  if (/ERR_MODULE_NOT_FOUND|ERR_PACKAGE_PATH_NOT_EXPORTED|ERR_UNSUPPORTED_DIR_IMPORT/.test(codeOf(error))) {
    const importer = /imported from (.+)$/.exec(message)?.[1]
    const name = /(?:package|module) '([^']+)'/.exec(message)?.[1] ?? /subpath '\.?([^']+)'/.exec(message)?.[1]
    const source = importer === undefined ? file : (fileOfUrl(importer) ?? importer)
    const place = textPlace(source, undefined, name?.replace(/^.*\//, ''))
    const hint = moduleHint(name ?? '')
    return { ...place, path: 'import', message: `${sentence(message.replace(/\?gen=[^' ]*/g, ''))} ${hint}` }
  }
  const place = positions.inStack(stack) ?? { file, line: 1, column: 1 }
  return { ...place, path: 'evaluation', message: `It throws while it is read: ${sentence(message)}` }
}

/** The place a syntax error stands at: the type stripper draws it, for what only the engine finds the loaded files are parsed again. */
function syntaxPlace(stack: string, files: readonly string[]): Place | undefined {
  const drawn = /^(\/.*|[A-Za-z]:\\.*):(\d+)\n(?:.*\n){1,4}?([ \t]*)\^/.exec(stack)
  if (drawn) return { file: drawn[1]!, line: Number(drawn[2]), column: drawn[3]!.length + 1 }
  for (const file of files) {
    try {
      parseSource(scriptOf(file), { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
    } catch (error) {
      const loc = (error as { readonly loc?: Position }).loc // what acorn adds to its SyntaxError
      if (loc) return { file, line: loc.line, column: loc.column + 1 }
    }
  }
  return undefined
}

/** A file as the engine sees it: types are blanks. */
function scriptOf(file: string): string {
  const source = readFileSync(file, 'utf8')
  return /\.[cm]?ts$/.test(file) ? stripTypeScriptTypes(source) : source
}

/** The line the engine names first, or the first line that contains `word`. */
function textPlace(file: string, stack: string | undefined, word: string | undefined): Place {
  const line = Number(/^file:\/\/\S+:(\d+)$/m.exec(stack ?? '')?.[1] ?? 0)
  const lines = readLines(file)
  if (word !== undefined) {
    const candidates = line > 0 ? [line - 1] : lines.keys()
    for (const i of candidates) {
      const at = lines[i]?.indexOf(word) ?? -1
      if (at >= 0 && (line > 0 || /\b(import|from|export)\b/.test(lines[i]!)))
        return { file, line: i + 1, column: at + 1 }
    }
  }
  return { file, line: line || 1, column: 1 }
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return [] // the place is then the beginning of the file
  }
}

const fileOfFirstLine = (stack: string | undefined) => fileOfUrl(/^(file:\/\/\S+?):\d+$/m.exec(stack ?? '')?.[1] ?? '')

const codeOf = (error: unknown) => String((error as { readonly code?: unknown } | undefined)?.code ?? '')

const sentence = (words: string) => (/[.!?]$/.test(words) ? words : `${words}.`)

function wrongExport(message: string, [, module = '', name = '']: RegExpExecArray): string {
  const ours = module.startsWith('boltbot') ? formerExport(name, module) : undefined
  return `${sentence(message.replace(/\?gen=[^' ]*/g, ''))} ${ours ?? 'Look at the name.'}`
}

function moduleHint(name: string): string {
  const near = name.startsWith('boltbot') || name.startsWith('/') ? nearModule(name) : undefined
  if (near !== undefined) return `Did you mean '${near}'?`
  return 'Look at its name and path (with the ending, as .ts), or install its package.'
}
