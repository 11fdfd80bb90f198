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
