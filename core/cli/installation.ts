import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this program's own package.json: a checkout, or `node_modules/boltbot`. */
export function installation(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** `1.2.3`. */
export const version = (): string => JSON.parse(readFileSync(join(installation(), 'package.json'), 'utf8')).version
