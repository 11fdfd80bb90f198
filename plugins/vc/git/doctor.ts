import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Doctor, Finding } from 'boltbot/plugin-sdk'
import type { Credentials } from './credentials.ts'
import { createGit } from './git-process.ts'

export interface Examined {
  readonly repourl: string
  /** It without secrets. */
  readonly repository: string
  readonly credentials: Credentials
  readonly gitbin: string
}

/** Whether git is there, and the repository can be read from here, as its poller would. */
export async function examineRepository(doctor: Doctor, examined: Examined): Promise<readonly Finding[]> {
  const { credentials } = examined
  const keys = await mkdtemp(join(tmpdir(), 'boltbot-'))
  try {
    await credentials.prepare(keys)
    return await examine(doctor, examined)
  } finally {
    await rm(keys, { recursive: true, force: true })
  }
}

async function examine({ signal }: Doctor, { repourl, repository, credentials, gitbin }: Examined) {
  const git = createGit(gitbin, { hide: new Map([[repourl, repository]]), env: credentials.env })
  const version = (await git(['--version'], { signal })).toString().trim()
  const heads = (await git(['ls-remote', '--heads', '--', repourl], { signal })).toString().split('\n').length - 1
  const found: Finding = { what: repository, verdict: 'ok', text: `It can be read with ${version}; ${heads} branches.` }
  const cure = 'Push a branch, or look whether repourl names the right repository.'
  return [heads > 0 ? found : { ...found, verdict: 'warn' as const, cure }]
}
