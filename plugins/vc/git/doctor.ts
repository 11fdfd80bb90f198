import type { Doctor, Finding } from 'boltbot/plugin-sdk'
import type { Git } from './git-process.ts'

/** Whether git is there, and the repository can be read from here. */
export async function examineRepository(
  { signal }: Doctor,
  git: Git,
  { repourl, repository }: { readonly repourl: string; readonly repository: string },
): Promise<readonly Finding[]> {
  const version = (await git(['--version'], { signal })).toString().trim()
  const heads = (await git(['ls-remote', '--heads', '--', repourl], { signal })).toString().split('\n').length - 1
  const found: Finding = { what: repository, verdict: 'ok', text: `It can be read with ${version}; ${heads} branches.` }
  const cure = 'Push a branch, or look whether repourl names the right repository.'
  return [heads > 0 ? found : { ...found, verdict: 'warn', cure }]
}
