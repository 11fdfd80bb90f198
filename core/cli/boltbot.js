#!/usr/bin/env node
// Plain JavaScript that any Node understands: an older one gets a sentence instead of a stack trace.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const NEEDED = 26
const major = Number(process.versions.node.split('.')[0])
if (major < NEEDED) {
  process.stderr.write(`boltbot needs Node.js ${NEEDED} or newer; this is ${process.version}.\n`)
  process.exitCode = 2
} else {
  // What is loaded is compiled once and kept: a command answers in a third of the time, and a master is smaller. The folder is the
  // account's own, as others could write into Node's default one.
  const { enableCompileCache } = await import('node:module')
  enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'boltbot'))
  const words = process.argv.slice(2)
  const isToRun = words.length === 3 && words[0] === 'start' && words[1] === '--nodaemon' && !words[2].startsWith('-')
  const program = isToRun ? 'in-front' : 'main'
  const source = new URL(`./${program}.ts`, import.meta.url)
  const { main } = await import(existsSync(source) ? source.href : new URL(`./${program}.js`, import.meta.url).href)
  await main(process.argv)
}
