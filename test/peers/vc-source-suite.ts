import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { changeSourceSuite, createFakeClock, createTestHost } from 'boltbot/plugin-sdk/testing'
import { bzrPoller } from 'boltbot/plugins/vc/bzr'
import { cvsPoller } from 'boltbot/plugins/vc/cvs'
import { darcsPoller } from 'boltbot/plugins/vc/darcs'
import { hgPoller } from 'boltbot/plugins/vc/hg'
import { svnPoller, trunkAndBranches } from 'boltbot/plugins/vc/svn'
import { commitMany } from '../plugins/vc/many-commits.ts'
import { createRealRepository, missing, type RealRepository } from '../plugins/vc/real-repositories.ts'
import { HISTORIES } from './rig/vc-histories.ts'

const PLUGINS = {
  svn: (url: string) => svnPoller({ svnurl: url, splitFile: trunkAndBranches }),
  hg: (url: string) => hgPoller({ repourl: url }),
  bzr: (url: string) => bzrPoller({ repourl: url }),
  darcs: (url: string) => darcsPoller({ repourl: url }),
  cvs: (url: string) => cvsPoller({ cvsroot: url, cvsmodule: 'hello' }),
}

/** The conformance suite over a poller and repositories made by the real program. One file each: they take their time. */
export async function vcSourceConformance(kind: keyof typeof PLUGINS, program: string): Promise<void> {
  describe(`vc/${kind} with real repositories`, { skip: await missing(program) }, () => {
    changeSourceSuite(it, {
      name: `vc/${kind}`,
      async make() {
        const repository = await createRealRepository(kind)
        await repository.commit('before')
        return {
          plugin: () => PLUGINS[kind](repository.url),
          commit: (message) => repository.commit(message),
          [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
        }
      },
    })

    it('tells what each commit of a history touched, whatever it did', async () => {
      await using repository = await createRealRepository(kind)
      const { changes, read } = await watch(repository, kind)
      const expected = await HISTORIES[kind](repository)
      await read()
      assert.deepEqual(
        changes().map(({ comments, files }) => ({ comments, files: [...files].sort() })),
        expected.map(({ comments, files }) => ({ comments, files: [...files].sort() })),
      )
      const names = changes().map((change) => change.key ?? `${change.branch} ${change.revision}`)
      assert.equal(new Set(names).size, names.length, 'no two commits are known by one name')
    })

    it('brings 500 commits that come at once, in order', async () => {
      await using repository = await createRealRepository(kind)
      const { changes, read } = await watch(repository, kind)
      await commitMany(kind, repository, 500)
      await read()
      assert.deepEqual(
        changes().map(({ comments }) => comments),
        Array.from({ length: 500 }, (_, i) => `many ${i + 1}`),
      )
    })
  })
}

/** A poller that knows what was there before. */
async function watch(repository: RealRepository, kind: keyof typeof PLUGINS) {
  await repository.commit('before')
  const directory = join(repository.folder, 'poller')
  await mkdir(directory)
  // A commit of CVS counts when it is half a minute old.
  const clock = createFakeClock({ start: Date.now() + 60_000 })
  const host = createTestHost({ directory, clock })
  await host.run(PLUGINS[kind](repository.url))
  await host.poll()
  return {
    changes: () => host.records.changes,
    async read() {
      await clock.advance('10m')
      await host.poll()
      await host.stop()
    },
  }
}
