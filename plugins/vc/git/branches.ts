/** Which branches: names, names with `*` for anything (also `/`), or all. */
export type Branches = readonly string[] | true

/** @example branchTest(['main', 'feature/*'])('feature/a/b') // true */
export function branchTest(branches: Branches): (branch: string) => boolean {
  if (branches === true) return () => true
  const tests = branches.map((pattern) => {
    const escaped = pattern.split('*').map((piece) => piece.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    return new RegExp(`^${escaped.join('.*')}$`, 's')
  })
  return (branch) => tests.some((test) => test.test(branch))
}

/** The heads of a repository by branch, from the lines of `git ls-remote` or `git for-each-ref` under a prefix. */
export function parseHeads(output: string, prefix: string): Map<string, string> {
  const heads = new Map<string, string>()
  for (const line of output.split('\n')) {
    const [revision, ref] = line.split('\t')
    if (revision && ref?.startsWith(prefix)) heads.set(ref.slice(prefix.length), revision)
  }
  return heads
}
