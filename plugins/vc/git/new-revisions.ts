import type { Mirror } from './mirror.ts'

/**
 * What is new on a branch: all that its head reaches and its old one did not; of a new branch what no other known one has, and at
 * least its head. Parents before children.
 * @param heads of all branches that are known, the old one among them.
 * @param missed is told an old head that is gone.
 */
export async function newRevisions(
  mirror: Mirror,
  { head, old, heads }: { readonly head: string; readonly old: string | undefined; readonly heads: Iterable<string> },
  signal: AbortSignal,
  missed: (old: string) => void,
): Promise<readonly string[]> {
  const known = await mirror.known([...new Set(heads)], signal)
  if (old !== undefined && known.has(old)) return mirror.commits(head, [old], signal)
  if (old !== undefined) missed(old)
  const revisions = known.size === 0 ? [] : await mirror.commits(head, [...known], signal)
  return revisions.length === 0 ? [head] : revisions
}
