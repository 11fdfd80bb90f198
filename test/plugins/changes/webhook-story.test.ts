import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, type Host, secret, slave } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { webhook } from 'boltbot/plugins/changes/webhook'
import { scheduler } from 'boltbot/plugins/schedulers'
import { shellCommand } from 'boltbot/plugins/steps'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { createRig, type RigOptions } from '../../rig/rig.ts'
import { createRepository, type Repository } from '../vc/repository.ts'
import { delivery } from './webhook-delivery.ts'

/** A webhook and a poller of one real repository in a whole master: what each misses the other brings, and both together one change. */

const bot = slave({ name: 'bot', password: 'x' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: ['make'] })]) })
const BY = { who: 'test', via: 'test' }

async function createWorld(sources: (repository: Repository) => RigOptions['sources']) {
  const stack = new AsyncDisposableStack()
  const repository = stack.use(await createRepository())
  await repository.commit('before')
  let host: Host | undefined
  const looker = definePlugin({ name: 'looker', kind: 'service', apply: (given) => void (host = given) })
  const config: RigOptions = {
    slaves: [bot],
    builders: [full],
    schedulers: [scheduler({ name: 'main', branch: 'main', builders: [full] })],
    http: { port: 0 },
    sources: sources(repository) ?? [],
    plugins: [looker()],
  }
  const rig = stack.use(await createRig(config))
  const head = () => repository.git('rev-parse', 'main')
  return {
    rig,
    repository,
    head,
    /** What Gitea would post of the newest commits; it says how many there are in all. */
    async delivery(before: string, count: number, carried = count) {
      const log = await repository.git('log', `-${carried}`, '--format=%H%x09%s', 'main')
      const commits = log.split('\n').map((line) => {
        const [id, message] = line.split('\t')
        return { id, message, author: { name: 'Jane Doe', email: 'jane@example.org' }, added: ['x'], modified: [] }
      })
      const body = JSON.stringify({
        ref: 'refs/heads/main',
        before,
        after: await head(),
        commits,
        total_commits: count,
        repository: { full_name: 'jane/hello', clone_url: `file://${repository.path}/` },
      })
      return delivery('gitea', 'push', body, 'secret hook')
    },
    async post({ path, headers, body }: Awaited<ReturnType<typeof delivery>>) {
      const answer = await fetch(new URL(path, host!.http.url()!), { method: 'POST', headers, body })
      return `${answer.status} ${(await answer.text()).trim()}`
    },
    url: () => new URL(host!.http.url()!),
    seen: () => rig.events.flatMap(({ name, event }) => (name === 'changeAccepted' ? [event.change.comments] : [])),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const both = ({ path }: Repository) => [
  gitPoller({ id: 'git', repourl: path, branches: true, pollInterval: '1h' }),
  webhook({ forge: 'gitea', secret: secret('hook'), maxSize: 0.1 }),
]

test('a webhook and a poller of one repository lose nothing, double nothing, and keep the order', async () => {
  await using world = await createWorld(both)
  const { rig, repository, seen } = world
  await rig.master.poll('git', BY)

  let before = await world.head()
  await repository.commit('by webhook')
  assert.equal(await world.post(await world.delivery(before, 1)), '200 1 change taken.')
  await rig.master.poll('git', BY)
  assert.deepEqual(seen(), ['by webhook'], 'the poller has seen it too')

  await repository.commit('missed by the webhook')
  await rig.master.poll('git', BY)
  assert.deepEqual(seen(), ['by webhook', 'missed by the webhook'])

  await repository.commit('missed as well')
  before = await world.head()
  await repository.commit('behind it')
  assert.equal(await world.post(await world.delivery(before, 1)), '200 A poller looks at "main" now.')
  await until(() => seen().length === 4, { what: 'the poller that was asked' })
  assert.deepEqual(seen().slice(2), ['missed as well', 'behind it'])
  await rig.master.poll('git', BY)

  before = await world.head()
  await repository.commit('both at once')
  await Promise.all([world.post(await world.delivery(before, 1)), rig.master.poll('git', BY)])
  before = await world.head()
  for (let i = 0; i < 30; i++) await repository.commit(`many ${i}`)
  await world.post(await world.delivery(before, 30, 5))
  await until(() => seen().length === 35, { what: 'all commits of a cut push', seen: () => seen().join() })
  assert.deepEqual(seen().slice(4), ['both at once', ...Array.from({ length: 30 }, (_, i) => `many ${i}`)])
  const named = rig.events.flatMap(({ name, event }) => (name === 'changeAccepted' ? [event.change.repository] : []))
  assert.deepEqual([...new Set(named)], [repository.path])
})

test('while a poller has never looked, what it would only note comes from the payload', async () => {
  await using world = await createWorld(({ path }) => [
    gitPoller({ id: 'git', repourl: path, branches: ['main'], pollInterval: '1h', pollAtLaunch: false }),
    webhook({ forge: 'gitea', secret: secret('hook') }),
  ])
  const before = await world.head()
  for (let i = 0; i < 3; i++) await world.repository.commit(`commit ${i}`)
  assert.equal(await world.post(await world.delivery(before, 3, 2)), '200 2 changes taken.')
  assert.equal(world.rig.log.find('warn').filter(({ message }) => /commits may be missing/.test(message)).length, 1)
})

test('what is too long is not read to its end, and another method is no delivery', async () => {
  await using world = await createWorld(both)
  const sent = delivery('gitea', 'push', 'x'.repeat(200_000), 'secret hook')
  assert.match(await world.post(sent), /^413 This is longer than the 104857 bytes taken here\.$/)
  assert.equal((await fetch(new URL(sent.path, world.url()))).status, 405)

  const socket = connect(Number(world.url().port), '127.0.0.1')
  socket.write(`POST ${sent.path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`)
  for (let i = 0; i < 20; i++) socket.write(`2000\r\n${'y'.repeat(0x2000)}\r\n`)
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 413 /)
  socket.destroy()
})

test('a master without a web server is told so when its config is checked', async () => {
  await assert.rejects(
    createRig({ slaves: [bot], builders: [full], sources: [webhook({ forge: 'gitea', secret: secret('hook') })] }),
    /It is reached over HTTP, and the config has no web server\. Add http: \{ port: 8010 \} to defineMaster\./,
  )
})

test('a commit that says [ci skip] is blamed, and builds nothing by itself, whoever brought it', async () => {
  await using world = await createWorld(both)
  const { rig, repository } = world
  await rig.master.poll('git', BY)
  const before = await world.head()
  await repository.commit('Mend a comment [ci skip]')
  assert.equal(await world.post(await world.delivery(before, 1)), '200 1 change taken.')
  await repository.commit('Another one [SKIP CI]')
  await rig.master.poll('git', BY)
  await rig.settle()
  assert.deepEqual(rig.events.filter(({ name }) => name === 'buildsetCreated').length, 0)
  await repository.commit('Light the lamp')
  await rig.master.poll('git', BY)
  await rig.settle()
  const made = rig.events.flatMap(({ name, event }) => (name === 'buildsetCreated' ? [event.changes.length] : []))
  assert.deepEqual(made, [3])
})
