import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { Problem } from '../problem.ts'

/**
 * The absolute form of a path of a command. It must lie in the builder's directory, also when links on the way to it are followed;
 * the last part itself may be a link.
 * Looked up at once: a turn through the thread pool for each folder costs more than the command's own start.
 * @throws Problem
 */
export function inside(directory: string, path: string): string {
  const full = resolve(directory, path)
  if (!isBelow(directory, full)) throw leaves(path)
  if (full !== directory && !isBelow(realpathSync(directory), realParent(full))) throw leaves(path)
  return full
}

/** As `inside`, but not the builder's directory itself. @throws Problem */
export function strictlyInside(directory: string, path: string): string {
  const full = inside(directory, path)
  if (full === directory) throw new Problem(`The path "${path}" is the builder's directory itself.`)
  return full
}

export function isBelow(directory: string, path: string): boolean {
  const way = relative(directory, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** The deepest folder on the way that exists, links followed. */
function realParent(path: string): string {
  const parent = dirname(path)
  try {
    return realpathSync(parent)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    return realParent(parent)
  }
}

const leaves = (path: string) => new Problem(`The path "${path}" leaves the builder's directory.`)
