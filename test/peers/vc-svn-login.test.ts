import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { secret } from 'boltbot'
import { createFakeClock, createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { svn, svnPoller } from 'boltbot/plugins/vc/svn'
import { reservePort } from '../e2e/rig/ports.ts'
import { createLocalStep } from '../plugins/vc/command-runner.ts'
import { createRealRepository, missing } from '../plugins/vc/real-repositories.ts'

const skip = await missing('svnserve')
const PASSWORD = 'open "sesame" $HOME'

/** A server that lets nobody in but jane, and an svn that writes down how it was called. */
async function server(context: TestContext) {
  const repository = await createRealRepository('svn')
  await repository.commit('one', { 'a.c': 'one\n' })
  const repo = join(repository.folder, 'repo')
  writeFileSync(
    join(repo, 'conf/svnserve.conf'),
    '[general]\nanon-access = none\nauth-access = write\npassword-db = passwd\n',
  )
  writeFileSync(join(repo, 'conf/passwd'), `[users]\njane = ${PASSWORD}\n`)
  const port = await reservePort()
  const args = [
    '--daemon',
    '--foreground',
    '--listen-host',
    '127.0.0.1',
    '--listen-port',
    `${port}`,
    '--root',
    repository.folder,
  ]
  const daemon = spawn('svnserve', args, { stdio: 'ignore' })
  context.after(async () => {
    daemon.kill()
    await once(daemon, 'exit')
    await repository[Symbol.asyncDispose]()
  })
  await until(() => isOpen(port), { what: 'svnserve to listen' })
  const bin = join(repository.folder, 'bin')
  const calls = join(repository.folder, 'calls')
  mkdirSync(bin)
  const real = process.env.PATH?.split(delimiter)
    .map((folder) => join(folder, 'svn'))
    .join(' ')
  writeFileSync(
    join(bin, 'svn'),
    `#!/bin/sh\necho "$@" >> '${calls}'\nfor real in ${real}; do [ -x "$real" ] && [ "$real" != '${bin}/svn' ] && exec "$real" "$@"; done\n`,
  )
  chmodSync(join(bin, 'svn'), 0o755)
  return { repository, bin, url: `svn://127.0.0.1:${port}/repo/trunk`, calls: () => readFileSync(calls, 'utf8') }
}

function isOpen(port: number): Promise<boolean | undefined> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(true)).on('error', () => resolve(undefined))
  }).finally(() => socket.destroy()) as Promise<boolean | undefined>
}

test('the poller logs in with a password that no command line shows', { skip }, async (context) => {
  const { repository, bin, url, calls } = await server(context)
  const directory = join(repository.folder, 'poller')
  const poller = (svnpasswd: string) =>
    svnPoller({ svnurl: url, svnuser: 'jane', svnpasswd: secret(svnpasswd), svnbin: join(bin, 'svn') })
  const secrets = { right: PASSWORD, wrong: 'wrong' }
  await using host = createTestHost({ directory, secrets })
  await host.run(poller('right'))
  await host.poll()
  await repository.commit('two', { 'a.c': 'two\n' })
  await host.poll()
  assert.deepEqual(
    host.records.changes.map(({ comments }) => comments),
    ['two'],
  )
  await using other = createTestHost({ directory, secrets })
  await other.run(poller('wrong'))
  await assert.rejects(other.poll(), { code: 'BOLT_VC_FAILED', message: /[Aa]uthentication|Password incorrect/ })
  assert.match(calls(), /--username jane --password-from-stdin/)
  assert.doesNotMatch(calls(), /sesame|wrong/)
})

test('the step logs in with a password that no command line and no log shows', { skip }, async (context) => {
  const { repository, bin, url, calls } = await server(context)
  const directory = join(repository.folder, 'slave')
  mkdirSync(directory)
  const run = async (mode: 'update' | 'clobber', password: string) => {
    const local = createLocalStep({
      directory,
      clock: createFakeClock({ start: Date.now() }),
      secrets: { right: PASSWORD, wrong: 'wrong' },
    })
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}` }
    const { result } = await local.run(svn({ svnurl: url, username: 'jane', password: secret(password), mode, env }))
    return { result, log: local.logs.get('stdio') ?? '' }
  }
  for (const mode of ['update', 'update', 'clobber'] as const) {
    const { result, log } = await run(mode, 'right')
    assert.equal(result, 'success', log)
    assert.doesNotMatch(log, /sesame/)
  }
  assert.equal(readFileSync(join(directory, 'build', 'a.c'), 'utf8'), 'one\n')
  assert.equal((await run('clobber', 'wrong')).result, 'failure')
  assert.doesNotMatch(calls(), /sesame|wrong/)
})
