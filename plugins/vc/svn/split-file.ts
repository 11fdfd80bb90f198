/** Where a file of a repository belongs: to which branch, and how it is called there. `null`: to none. */
export type SplitFile = (path: string) => { readonly branch: string | null; readonly path: string } | null

/** All of it is the trunk. */
export const alwaysTrunk: SplitFile = (path) => ({ branch: null, path })

/** `trunk/src/a.c` is `src/a.c` of the default branch, `branches/1.5/src/a.c` that of `branches/1.5`; the rest is ignored. */
export const trunkAndBranches: SplitFile = (path) => {
  const [top = '', second = '', ...rest] = path.split('/')
  if (top === 'trunk') return { branch: null, path: path.slice('trunk/'.length) }
  return top === 'branches' && second !== '' ? { branch: `branches/${second}`, path: rest.join('/') } : null
}

/** The same below a folder for each project: takes one project and ignores the others. */
export function projectBranches(project: string): SplitFile {
  const prefix = `${project.replace(/\/+$/, '')}/`
  return (path) => (path.startsWith(prefix) ? trunkAndBranches(path.slice(prefix.length)) : null)
}
