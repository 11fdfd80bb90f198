import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { ChangeInput } from 'boltbot/plugin-sdk'
import { createFakeClock, createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { missing } from '../../plugins/vc/real-repositories.ts'
import { type ChangeListener, createChangeListener, PASSWORD } from './change-listener.ts'
import { createHookedRepository, type HookedKind, type HookedRepository } from './hooked-repository.ts'
import { boltbot } from './run-program.ts'

interface World {
  readonly master: ChangeListener
  readonly repository: HookedRepository
}

/** What `boltbot hook` has to do in the real repositories of one system. */
export async function hookStories(kind: HookedKind, program: string): Promise<void> {
  const skip = await missing(program)
  const story = (name: string, body: (world: World) => Promise<void>, options: readonly string[] = []) =>
    it(name, { timeout: 170_000 }, async () => {
      await using master = await createChangeListener()
      const layout = kind === 'svn' ? ['--layout', 'branches'] : []
      const args = ['--pb', master.address, '--passwd', PASSWORD, ...layout, ...options]
      await using repository = await createHookedRepository(kind, args)
      await body({ master, repository })
    })

  describe(`boltbot hook ${kind} in real repositories`, { skip }, () => {
    story('tells of each commit once, as the poller does', async ({ master, repository }) => {
      const directory = join(repository.folder, 'poller')
      await mkdir(directory)
      const clock = createFakeClock({ start: Date.now() + 60_000 })
      await using host = createTestHost({ directory, clock })
      await host.run(repository.poller())
      await host.poll()
      await repository.commit(kind === 'darcs' ? 'one' : 'one\n\nmore', {
        'src/a.c': 'one\n',
        'grün und blau.c': 'x\n',
      })
      await repository.commit('two', { 'src/a.c': null, 'src/b.c': 'one\n' })
      await repository.commit('drei ß 日本', { 'grün und blau.c': null })
      await master.wait(3)
      await clock.advance('1h')
      await host.poll()
      assert.deepEqual(master.changes.map(comparable), host.records.changes.map(comparable), repository.log())
      assert.equal(master.changes.length, 3)
      assert.deepEqual(
        master.changes.map(({ files }) => [...files].sort()),
        [['grün und blau.c', 'src/a.c'], ['src/a.c', 'src/b.c'], ['grün und blau.c']],
      )
      await until(() => repository.waiting().length === 0, { what: 'nothing to wait', seen: () => repository.log() })
    })

    story(
      'keeps what is committed while the master is away, and sends it in order with the next',
      async ({ master, repository }) => {
        await repository.commit('commit 1')
        await master.wait(1)
        await master.goAway()
        await repository.commit('commit 2')
        await repository.commit('commit 3')
        await until(() => / cannot be reached: /.test(repository.log()), {
          what: 'the log',
          seen: () => repository.log(),
        })
        await master.comeBack()
        await repository.commit('commit 4')
        await master.wait(4)
        assert.deepEqual(commentsOf(master), ['commit 1', 'commit 2', 'commit 3', 'commit 4'])
      },
    )

    story('sends by "boltbot hook flush" what waits', async ({ master, repository }) => {
      await master.goAway()
      await repository.commit('commit 1')
      await repository.commit('commit 2')
      const failed = await flush(repository)
      assert.equal(failed.code, 1, failed.stdout)
      assert.match(failed.stdout, /^0 sent, 0 refused; the rest waits: The master "\S+" cannot be reached: /)
      await master.comeBack()
      const done = await flush(repository)
      assert.equal(done.code, 0, done.stdout)
      // With CVS a process in the background may have been faster.
      if (kind !== 'cvs') assert.equal(done.stdout, '2 sent, 0 refused\n', repository.log())
      await master.wait(2)
      assert.deepEqual(commentsOf(master), ['commit 1', 'commit 2'])
      await until(() => repository.waiting().length === 0, { what: 'nothing to wait', seen: () => repository.log() })
    })

    story('never makes a commit fail, whatever its settings are', async ({ master, repository }) => {
      const settings = join(repository.queue, 'settings.json')
      const good = readFileSync(settings, 'utf8')
      writeFileSync(settings, '{ "pb": ')
      await repository.commit('commit 1')
      writeFileSync(settings, JSON.stringify({ ...JSON.parse(good), passwd: 'wrong' }))
      await repository.commit('commit 2')
      await until(() => / does not let "change" in/.test(repository.log()), {
        what: 'the log',
        seen: () => repository.log(),
      })
      assert.deepEqual(master.changes, [])
      writeFileSync(settings, good)
      await flush(repository)
      assert.deepEqual(commentsOf(master), ['commit 1', 'commit 2'])
    })

    if (kind !== 'cvs')
      story('tells of 500 commits at once, in order', async ({ master, repository }) => {
        await repository.commitMany(500)
        if (kind === 'svn') await repository.commit('many 501')
        const count = kind === 'svn' ? 501 : 500
        await master.wait(count)
        assert.deepEqual(
          commentsOf(master),
          Array.from({ length: count }, (_, i) => `many ${i + 1}`),
        )
      })
  })
}

const commentsOf = ({ changes }: ChangeListener) => changes.map(({ comments }) => comments)

const flush = ({ path }: HookedRepository) => boltbot(['hook', 'flush', path], { env: { HOME: path } })

/** What both must agree in: the master knows a change by it, or people see it. */
function comparable({ who, files, comments, branch, revision, repository, key, when }: ChangeInput) {
  return { who, files: [...files], comments, branch: branch ?? null, revision, repository, key: key ?? null, when }
}
