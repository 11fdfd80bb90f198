import { posix } from 'node:path'
import type { PeopleSpec } from '../config/model.ts'

/** Who owns one of the files, with the first pattern that says so. */
export function ownersOf(
  owners: PeopleSpec['owners'],
  files: readonly string[],
): readonly { readonly who: string; readonly pattern: string }[] {
  const found = new Map<string, string>()
  for (const { pattern, who } of owners) {
    const glob = globOf(pattern)
    if (!files.some((file) => posix.matchesGlob(file, glob))) continue
    for (const one of who) if (!found.has(one)) found.set(one, pattern)
  }
  return [...found].map(([who, pattern]) => ({ who, pattern }))
}

/** A name fits anywhere, a folder all that is below it. */
function globOf(pattern: string): string {
  const whole = pattern.endsWith('/') ? `${pattern}**` : pattern
  return whole.includes('/') ? whole : `**/${whole}`
}
