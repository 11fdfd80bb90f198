import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { SourceStamp, Step } from 'boltbot/plugin-sdk'
import { createFakeClock, createTestHost } from 'boltbot/plugin-sdk/testing'
import { bzr, bzrPoller } from 'boltbot/plugins/vc/bzr'
import { cvs, cvsPoller } from 'boltbot/plugins/vc/cvs'
import { darcs, darcsPoller } from 'boltbot/plugins/vc/darcs'
import { hg, hgPoller } from 'boltbot/plugins/vc/hg'
import { svn, svnPoller, trunkAndBranches } from 'boltbot/plugins/vc/svn'
import { createLocalStep } from '../plugins/vc/command-runner.ts'
import { createRealRepository, missing, type RealRepository } from '../plugins/vc/real-repositories.ts'

interface How {
  readonly mode?: 'update' | 'copy' | 'clobber' | 'export'
}

const KINDS = [
  {
    kind: 'svn',
    program: 'svn',
    metadata: '.svn',
    step: (url: string, how: How): Step => svn({ baseURL: url, ...how }),
    poller: (url: string) => svnPoller({ svnurl: url, splitFile: trunkAndBranches }),
  },
  {
    kind: 'hg',
    program: 'hg',
    metadata: '.hg',
    step: (repourl: string, how: How): Step => hg({ repourl, ...how }),
    poller: (repourl: string) => hgPoller({ repourl }),
  },
  {
    kind: 'bzr',
    program: 'brz',
    metadata: '.bzr',
    step: (repourl: string, how: How): Step => bzr({ repourl, ...how }),
    poller: (repourl: string) => bzrPoller({ repourl }),
  },
  {
    kind: 'darcs',
    program: 'darcs',
    metadata: '_darcs',
    step: (repourl: string, how: How): Step => darcs({ repourl, ...how }),
    poller: (repourl: string) => darcsPoller({ repourl }),
  },
  {
    kind: 'cvs',
    program: 'cvs',
    metadata: 'CVS',
    step: (cvsroot: string, how: How): Step => cvs({ cvsroot, cvsmodule: 'hello', ...how }),
    poller: (cvsroot: string) => cvsPoller({ cvsroot, cvsmodule: 'hello' }),
  },
] as const

for (const { kind, program, metadata, step, poller } of KINDS) {
  describe(`the checkout of vc/${kind} with real repositories`, { skip: await missing(program) }, () => {
    it('gets the tree in each mode, updates it, and goes to the revision that the poller named', async () => {
      await using repository = await createRealRepository(kind)
      await repository.commit('one', { 'src/a.c': 'one\n', 'gone.c': 'x\n' })
      await using host = createTestHost({ directory: await folderOf(repository, 'poller') })
      await host.run(poller(repository.url))
      await host.poll()
      const run = runnerIn(repository)

      const first = await run(step(repository.url, {}))
      assert.equal(first.result, 'success', first.log)
      assert.equal(await first.read('src/a.c'), 'one\n')
      await pause(kind)
      await repository.commit('two', { 'src/a.c': 'two\n', 'gone.c': null, 'grün.c': 'new\n' })
      await host.poll()
      const [change] = host.records.changes
      assert.ok(change, host.log.text())
      assert.deepEqual([...change.files].sort(), ['gone.c', 'grün.c', 'src/a.c'])
      assert.match(change.who, /jane|root|nobody/i)
      await pause(kind)
      await repository.commit('three', { 'src/a.c': 'three\n' })

      const second = await run(step(repository.url, {}), { revision: change.revision ?? null })
      assert.equal(second.result, 'success', second.log)
      assert.equal(await second.read('src/a.c'), 'two\n')
      assert.equal(second.has('gone.c'), false)
      assert.equal(second.has('grün.c'), true)
      assert.equal(second.revision, change.revision)
      for (const mode of ['update', 'copy', 'clobber', 'export'] as const) {
        const third = await run(step(repository.url, { mode }))
        assert.equal(third.result, 'success', `${mode}\n${third.log}`)
        assert.equal(await third.read('src/a.c'), 'three\n', mode)
        assert.equal(third.has(metadata), mode !== 'export', mode)
        assert.equal(third.has(`src/${metadata}`), kind === 'cvs' && mode !== 'export', mode)
      }
    })

    it('applies the patch of the source stamp, and is rid of it in the next build', async () => {
      await using repository = await createRealRepository(kind)
      await repository.commit('one', { 'src/a.c': 'old\n' })
      const run = runnerIn(repository)
      const body = '--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-old\n+new\n'
      const patched = await run(step(repository.url, {}), { patch: { level: 1, body, subdir: 'src' } })
      assert.equal(patched.result, 'success', patched.log)
      assert.equal(await patched.read('src/a.c'), 'new\n')
      const plain = await run(step(repository.url, {}))
      assert.equal(await plain.read('src/a.c'), 'old\n')
      const misfit = await run(step(repository.url, {}), {
        patch: { level: 1, body: `${body}garbage`, subdir: '../..' },
      })
      assert.equal(misfit.result, 'failure')
    })

    it('refuses a revision that is none, and fails in a sentence when there is no repository', async () => {
      await using repository = await createRealRepository(kind)
      await repository.commit('one', { 'a.c': 'one\n' })
      const run = runnerIn(repository)
      const odd = await run(step(repository.url, {}), { revision: '--config=alias.update=!touch pwned' })
      assert.equal(odd.result, 'failure')
      const away = await run(step(`${repository.url}-gone`, {}))
      assert.equal(away.result, 'failure')
    })
  })
}

/** Two commits of one second have one time, which is what CVS tells them apart by. */
const pause = async (kind: string) => {
  if (kind === 'cvs') await new Promise((resolve) => setTimeout(resolve, 1100))
}

async function folderOf(repository: RealRepository, name: string): Promise<string> {
  const path = join(repository.folder, name)
  await mkdir(path, { recursive: true })
  return path
}

function runnerIn(repository: RealRepository) {
  const directory = join(repository.folder, 'slave')
  return async (step: Step, sourceStamp: Partial<SourceStamp> = {}) => {
    await mkdir(directory, { recursive: true })
    const local = createLocalStep({ directory, sourceStamp, clock: createFakeClock({ start: Date.now() + 2000 }) })
    const { result } = await local.run(step)
    return {
      result,
      log: local.logs.get('stdio') ?? '',
      revision: local.properties.got_revision?.value,
      has: (path: string) => existsSync(join(directory, 'build', path)),
      read: (path: string) => readFile(join(directory, 'build', path), 'utf8'),
    }
  }
}
