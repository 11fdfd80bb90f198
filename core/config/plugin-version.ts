import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of the package that a file belongs to; `null` when no package above it has one. */
export function packageVersion(file: string): string | null {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const version = versionIn(join(folder, 'package.json'))
    if (version !== undefined) return version
    if (folder === dirname(folder)) return null
  }
}

function versionIn(file: string): string | undefined {
  try {
    const { version }: { readonly version?: unknown } = JSON.parse(readFileSync(file, 'utf8'))
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined // no package here
  }
}
