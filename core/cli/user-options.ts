import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { optionsFileWrong } from './errors.ts'

export type UserOption = string | number | boolean | null | readonly string[]

/** Options of a user for commands that talk to masters elsewhere. */
export type UserOptions = Readonly<Record<string, UserOption>>

const FILES = ['.boltbot/options', '.buildbot/options']

/**
 * The first options file found from a folder upwards, then in the home directory: a JSON object, or Buildbot's form of simple
 * assignments. Empty when there is none. @throws CiError `BOLT_CLI_OPTIONS_FILE`.
 */
export function readUserOptions(folder: string, home = homedir()): UserOptions {
  for (const place of [...upwards(folder), home])
    for (const name of FILES) {
      const file = join(place, name)
      const text = readIfThere(file)
      if (text !== undefined) return parse(text, file)
    }
  return {}
}

/** An option as text; `undefined` when it is not there. */
export function textOption(options: UserOptions, ...names: readonly string[]): string | undefined {
  const value = names.map((name) => options[name]).find((found) => found !== undefined && found !== null)
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

export function listOption(options: UserOptions, name: string): readonly string[] | undefined {
  const value = options[name]
  if (Array.isArray(value)) return value as readonly string[] // the only lists there are
  return typeof value === 'string' ? [value] : undefined
}

function* upwards(folder: string): Generator<string> {
  for (let at = folder; ; at = dirname(at)) {
    yield at
    if (at === dirname(at)) return
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw optionsFileWrong(file, `it cannot be read (${code})`)
  }
}

function parse(text: string, file: string): UserOptions {
  if (text.trimStart().startsWith('{')) return parseJson(text, file)
  const options: Record<string, UserOption> = Object.create(null)
  for (const [number, line] of joinLists(text).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const assignment = /^\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line)
    const value = assignment && literal(assignment[2]!)
    if (!assignment || value === undefined) throw optionsFileWrong(file, `line ${number + 1} is no simple assignment`)
    options[assignment[1]!] = value
  }
  return options
}

function parseJson(text: string, file: string): UserOptions {
  try {
    return Object.assign(Object.create(null), JSON.parse(text))
  } catch (error) {
    throw optionsFileWrong(file, (error as Error).message)
  }
}

/** Lists may go over several lines: they are put on the first, and leave the others empty. */
function joinLists(text: string): readonly string[] {
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++)
    for (let next = at + 1; isOpenList(lines[at]!) && next < lines.length; next++) {
      lines[at] += ` ${lines[next]!.replace(/^\s*#.*/, '')}`
      lines[next] = ''
    }
  return lines
}

const isOpenList = (line: string) => /=\s*[[(]/.test(line) && !/[\])]\s*(#.*)?$/.test(line)

/** A Python literal of the kinds that such files have; `undefined` when it is none. */
function literal(source: string): UserOption | undefined {
  const words: Readonly<Record<string, UserOption>> = { None: null, True: true, False: false }
  const text = source.replace(/\s+#[^'"]*$/, '')
  if (Object.hasOwn(words, text)) return words[text]
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  const string = stringLiteral(text)
  if (string !== undefined) return string
  const list = /^[[(]\s*(.*?)\s*[\])]$/s.exec(text)
  if (!list) return undefined
  const items = [...list[1]!.matchAll(/\s*([ubr]?'(?:\\.|[^'\\])*'|[ubr]?"(?:\\.|[^"\\])*")\s*(?:,|$)/gy)]
  const length = items.reduce((sum, [whole]) => sum + whole.length, 0)
  if (length !== list[1]!.length) return list[1]!.trim() === '' ? [] : undefined
  return items.map(([, item]) => stringLiteral(item!)!)
}

function stringLiteral(text: string): string | undefined {
  const match = /^[ubr]?(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")$/s.exec(text)
  if (!match) return undefined
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
  return (match[1] ?? match[2] ?? '').replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter)
}
