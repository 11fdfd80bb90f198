import { missingValue, openQuote } from './errors.ts'

/**
 * A line in words, as a shell cuts it: blanks between words, `'…'` as it is, `"…"` with `\"` and `\\`, `\` before any character
 * outside of quotes.
 * @throws CiError `BOLT_CHAT_QUOTE` when a quote is not closed.
 * @example splitWords(`force build full "it's broken"`) // ['force', 'build', 'full', "it's broken"]
 */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (char === '\\' && quote !== "'" && i + 1 < line.length) {
      const next = line[++i]!
      word = (word ?? '') + (quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next)
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined
      else word += char
    } else if (char === '"' || (char === "'" && !isApostrophe(word))) {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== undefined) throw openQuote(quote)
  if (word !== undefined) words.push(word)
  return words
}

/** People write `it's` and `don't`: a quote inside a word is one of its letters. `a='b c'` still quotes. */
const isApostrophe = (word: string | undefined) => word !== undefined && /\p{L}$/u.test(word)

export interface Options {
  /** What is no option, in order. */
  readonly words: readonly string[]
  /** Each value given, in order. */
  readonly given: Readonly<Record<string, readonly string[]>>
  /** Options nobody knows, as typed. */
  readonly unknown: readonly string[]
}

/** Takes `--name value` and `--name=value` out of the words; `--` ends them. @throws CiError `BOLT_CHAT_OPTION_VALUE`. */
export function takeOptions(all: readonly string[], known: readonly string[]): Options {
  const words: string[] = []
  const unknown: string[] = []
  const given: Record<string, string[]> = {}
  for (let i = 0; i < all.length; i++) {
    const word = all[i]!
    if (word === '--') {
      words.push(...all.slice(i + 1))
      break
    }
    const match = /^--([a-z]+)(?:=(.*))?$/s.exec(word)
    if (!match) words.push(word)
    else if (!known.includes(match[1]!)) unknown.push(word)
    else {
      const value = match[2] ?? all[++i]
      if (value === undefined) throw missingValue(match[1]!)
      const values = given[match[1]!] ?? []
      values.push(value)
      given[match[1]!] = values
    }
  }
  return { words, given, unknown }
}
