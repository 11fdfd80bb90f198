import { z } from 'zod'

/** A branch's name, a name with `*` for anything (also `/`), a regular expression that fits somewhere in it, or `null`: no branch. */
export type BranchPattern = string | RegExp | null
export type BranchPatterns = BranchPattern | readonly BranchPattern[]

export const branchPatternsSchema = z.custom<BranchPatterns>(
  (value) => (Array.isArray(value) ? value.length > 0 && value.every(isPattern) : isPattern(value)),
  "Give a name, a pattern such as 'feature/*', a regular expression, or a list of these; leave it out for all branches.",
)

/** @example matchesBranch(['main', 'feature/*'], 'feature/a/b') // true */
export function matchesBranch(patterns: BranchPatterns, branch: string | null): boolean {
  return Array.isArray(patterns)
    ? patterns.some((pattern: BranchPattern) => fits(pattern, branch))
    : fits(patterns as BranchPattern, branch) // Array.isArray does not tell readonly arrays apart
}

function fits(pattern: BranchPattern, branch: string | null): boolean {
  if (pattern === null || branch === null) return pattern === branch
  // `search` takes no notice of a position that a global expression remembers.
  if (pattern instanceof RegExp) return branch.search(pattern) !== -1
  const pieces = pattern.split('*').map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${pieces.join('.*')}$`, 's').test(branch)
}

function isPattern(value: unknown): boolean {
  return value === null || value instanceof RegExp || (typeof value === 'string' && value !== '')
}
