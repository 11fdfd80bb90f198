import { createRequire } from 'node:module'
import type { Options, Program } from 'acorn'

const require = createRequire(import.meta.url)

/** Parses JavaScript. The parser is loaded by the first call: only problems need it, and a master would keep a megabyte of it for ever. */
export function parseSource(source: string, options: Options): Program {
  const { parse } = require('acorn') as typeof import('acorn')
  return parse(source, options)
}
