#!/usr/bin/env node
// Runs the agent of one slave directory: `node slave/boltbot-slave.js BASEDIR`. Plain JavaScript, so that what it loads is compiled
// once and kept: the agent starts sooner and is smaller, and a small process starts commands faster. The folder is the account's
// own, as others could write into Node's default one.
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'boltbot'))
const source = new URL('./main.ts', import.meta.url)
const { main } = await import(existsSync(source) ? source.href : new URL('./main.js', import.meta.url).href)
process.exit(await main(process.argv.slice(2)))
