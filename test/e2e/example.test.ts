import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { until } from 'boltbot/plugin-sdk/testing'
import { PASSWORD } from './rig/config.ts'
import { createMailServer } from './rig/mail-server.ts'
import { reservePort } from './rig/ports.ts'
import { createRepository, JANE } from './rig/repository.ts'
import { story } from './rig.ts'

const EXAMPLE = resolve(import.meta.dirname, '../../master.cfg.example.ts')

story('the example config builds a commit, mails who broke it, and lights the lamp', async (world) => {
  const repository = await createRepository(world.folder, { 'docs/index': 'Hello\n', result: '0\n' })
  const mails = world.use(await createMailServer())
  const lamp = world.use(await createLamp())
  const port = await reservePort()
  const places = {
    'https://git.example.org/hello.git': repository.url,
    'http://lamp.example.org/': lamp.url,
    'tcp:9990:': `tcp:${port}:`,
    'http: { port: 8010,': 'http: { port: 0,', // somebody may be looking at the example
    "'mail.example.org',": `'127.0.0.1', smtpPort: ${mails.port},`,
    'export default': "import { recorder } from './recorder.ts'\nexport default",
    'status: [': 'status: [recorder(), ',
    "treeStableTimer: '5m'": "treeStableTimer: '300ms'",
    "pollInterval: '2m'": "pollInterval: '200ms'",
  }
  const master = await world.master(replaceEach(await readFile(EXAMPLE, 'utf8'), places), {
    async prepare(basedir) {
      for (const name of ['bot-linux', 'bot-bsd'])
        await writeFile(join(basedir, 'secrets', name), `${PASSWORD}\n`, { mode: 0o600 })
    },
  })
  // The project is built by a "make" of the test's own, as not every machine has one.
  await mkdir(world.file('bin'))
  await writeFile(
    world.file('bin/make'),
    '#!/bin/sh\necho "make $1"\nif [ "$1" = test ]; then exit `cat result`; fi\n',
    {
      mode: 0o755,
    },
  )
  const env = { PATH: `${world.file('bin')}:${process.env.PATH}` }
  await world.slave('bot-linux', port, PASSWORD, env)
  await world.slave('bot-bsd', port, PASSWORD, env)
  const attached = async () => (await master.call<readonly { state: string }[]>('slaves')).map(({ state }) => state)
  await until(async () => (await attached()).every((state) => state === 'idle'), { what: 'both slaves' })
  await master.line(/first poll/)

  await repository.commit({ files: { 'docs/index': 'Hello!\n' }, comments: 'Change words only' })
  await master.event('changeAccepted')
  assert.equal(master.events('buildsetCreated').length, 0)
  await repository.commit({ files: { 'hello.c': '\n' }, comments: 'Add code' })
  const good = await master.event('buildFinished', ({ builder, number }) => builder === 'full' && number === 0)
  assert.deepEqual([good.result, good.changes.length], ['success', 2])
  await repository.commit({ files: { result: '1\n' }, who: JANE, comments: 'Break the tests' })
  const bad = await master.event('buildFinished', ({ builder, number }) => builder === 'full' && number === 1)
  assert.equal(bad.result, 'failure')

  await until(() => mails.mails.length >= 2, { what: 'the mails', deadline: 20_000 })
  assert.deepEqual(
    mails.mails.flatMap(({ to }) => to),
    ['jane@example.org', 'builds@example.org'],
  )
  assert.match(mails.mails[0]?.parsed.subject ?? '', /^\[first failure\] Hello: full/)
  await until(() => lamp.calls.length >= 2, { what: 'the lamp to be told twice' })
  assert.deepEqual(
    lamp.calls.map(({ body }) => body),
    [
      { builder: 'full', lit: false },
      { builder: 'full', lit: true },
    ],
  )
  assert.deepEqual(
    lamp.calls.map(({ headers }) => headers['idempotency-key']),
    [`${good.eventId}`, `${bad.eventId}`],
  )

  const released = await repository.commit({ files: { result: '0\n' }, comments: 'Release', branch: 'release' })
  const packed = await master.event('buildFinished', ({ builder }) => builder === 'tarball')
  assert.deepEqual([packed.result, packed.slave, packed.revision], ['success', 'bot-linux', released])
  const made = await readFile(join(world.folder, 'slave-bot-linux', 'tarball', `hello-${released}.tgz`))
  assert.ok(made.length > 0)
})

/** What a lamp on the network would be told. */
async function createLamp() {
  const calls: { readonly headers: IncomingHttpHeaders; readonly body: unknown }[] = []
  const server = createServer(async (request, response) => {
    calls.push({ headers: request.headers, body: JSON.parse(`${await buffer(request)}`) })
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    calls,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, // a TCP server has no other address
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function replaceEach(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((before, [from, to]) => {
    assert.ok(before.includes(from), `The example has no ${from} any more.`)
    return before.replaceAll(from, to)
  }, text)
}
