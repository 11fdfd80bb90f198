import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot'
import { tryJobdir, tryUserpass } from 'boltbot/plugins/schedulers'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { git } from 'boltbot/plugins/vc/git'
import { createRepository } from '../../plugins/vc/repository.ts'
import type { RigOptions } from '../../rig/rig.ts'
import { type LiveMaster, startLiveMaster } from './live-master.ts'
import { startWorker } from './worker.ts'
import { sh } from './worker-stories.ts'

export interface TryWorld {
  readonly live: LiveMaster
  readonly port: number
  /** A clone of the repository that is built, with `README.md` in it. */
  readonly clone: string
  /** Of a scheduler that takes jobs from there. */
  readonly jobdir: string
}

/** A master whose builders `good` and `bad` check out and build what alice (wonder) tries; `private` is not offered. */
export async function tryWorld(context: TestContext, more: Partial<RigOptions> = {}): Promise<TryWorld> {
  const repository = await createRepository()
  await repository.commit('first', { 'README.md': 'hello\nworld\n', 'sub/deep.txt': 'deep\n' })
  const clone = join(repository.folder, 'clone')
  execFileSync('git', ['clone', '-q', repository.path, clone])
  const jobdir = join(repository.folder, 'jobdir')
  let port = 0
  const bot = slave({ name: 'bot', password: 'pass1' })
  const steps = [git({ repourl: repository.path }), sh('cat README.md')]
  const named = (name: string, last: string) =>
    builder({ name, slaves: [bot], factory: buildFactory([...steps, sh(last, { name: 'check' })]) })
  const live = await startLiveMaster({
    ...more,
    transports: [stockWorkers({ port: 0, onListening: (bound) => void (port = bound) })],
    slaves: [bot],
    builders: [named('good', 'true'), named('bad', 'exit 3'), named('private', 'true')],
    schedulers: [
      tryJobdir({ name: 'dropped', builders: ['good', 'bad'], jobdir, pollInterval: 1 }),
      tryUserpass({ name: 'try', builders: ['good', 'bad'], port: 0, userpass: [['alice', 'wonder']] }),
    ],
  })
  const worker = startWorker(port)
  context.after(async () => {
    await worker[Symbol.asyncDispose]()
    await live[Symbol.asyncDispose]()
    await repository[Symbol.asyncDispose]()
  })
  await live.event('slaveConnected')
  return { live, port, clone, jobdir }
}

export function edit(world: TryWorld, text: string, file = 'README.md'): void {
  writeFileSync(join(world.clone, file), text)
}
