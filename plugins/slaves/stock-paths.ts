import { posix, win32 } from 'node:path'

/** How a worker writes paths. */
export type PathStyle = 'posix' | 'win32'

/** A path of a command as it may be told to a stock worker, which does not look whether it leaves the builder's directory. */
export function insidePath(path: string, style: PathStyle): string | undefined {
  const { normalize, isAbsolute, sep } = style === 'win32' ? win32 : posix
  if (path.includes('\0') || isAbsolute(path) || (style === 'win32' && /^[a-z]:/i.test(path))) return undefined
  const normal = normalize(path)
  if (normal === '..' || normal.startsWith(`..${sep}`)) return undefined
  // Workers take a leading ~ for a home directory.
  return normal.startsWith('~') ? `.${sep}${normal}` : normal
}

/** As `insidePath`, but not the builder's directory itself. */
export function strictlyInsidePath(path: string, style: PathStyle): string | undefined {
  const inside = insidePath(path, style)
  return inside === undefined || /^\.[\\/]?$/.test(inside) ? undefined : inside
}

/** Absolute paths made relative to a folder; those that are not below it stay. */
export function relativeTo(directory: string, path: string, style: PathStyle): string {
  const sep = style === 'win32' ? win32.sep : posix.sep
  const start = directory.endsWith(sep) ? directory : directory + sep
  return path.startsWith(start) ? path.slice(start.length) : path
}

export const joinPath = (style: PathStyle, ...parts: readonly string[]): string =>
  (style === 'win32' ? win32 : posix).join(...parts)
