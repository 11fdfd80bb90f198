#!/usr/bin/env node
// Plain JavaScript that any Node understands: an older one gets a sentence instead of a stack trace.
import { existsSync } from 'node:fs'

const NEEDED = 26
const major = Number(process.versions.node.split('.')[0])
if (major < NEEDED) {
  process.stderr.write(`boltbot needs Node.js ${NEEDED} or newer; this is ${process.version}.\n`)
  process.exitCode = 2
} else {
  const source = new URL('./main.ts', import.meta.url)
  const { main } = await import(existsSync(source) ? source.href : new URL('./main.js', import.meta.url).href)
  await main(process.argv)
}
