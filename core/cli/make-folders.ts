import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder that a person named, with those above it. Node's own recursive mkdir never returns where a file system says that
 * a folder is missing whose parent is there, as `/proc` does; this one throws.
 */
export function makeFolders(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeFolders(dirname(path))
  mkdirSync(path)
}
