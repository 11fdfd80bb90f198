// Claim: a poll of a git repository with 1,000 branches and nothing new takes one `git ls-remote` and at most 20 ms.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { gitPoller } from '../plugins/vc/git/index.ts'
import { median, report } from './report.ts'

const BRANCHES = 1000
const ROUNDS = 15
const MAY_ADD_MS = 20

const exec = promisify(execFile)
const folder = await mkdtemp(join(tmpdir(), 'boltbot-bench-git-'))
try {
  const repository = join(folder, 'hello.git')
  const git = (...args: readonly string[]) => exec('git', ['-C', repository, ...args])
  await exec('git', ['init', '--quiet', '--bare', repository])
  const identity = ['-c', 'user.name=Jane', '-c', 'user.email=jane@example.org']
  const tree = (await git('write-tree')).stdout.trim()
  const commit = (await git(...identity, 'commit-tree', '-m', 'one', tree)).stdout.trim()
  for (let i = 0; i < BRANCHES; i++) await git('update-ref', `refs/heads/branch-${i}`, commit)

  await using host = createTestHost({ directory: folder })
  await host.run(gitPoller({ repourl: repository, branches: true }))
  await host.poll()
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await timed(() => exec('git', ['ls-remote', '--heads', '--', repository])))
    ours.push(await timed(() => host.poll()))
  }
  report({
    name: 'git, a poll of 1,000 branches beyond ls-remote',
    ours: median(ours) - median(bare),
    against: MAY_ADD_MS,
    unit: 'ms',
    limit: 'fixed aim',
    aim: { atMost: 1 },
  })
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}
