import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { secret } from 'boltbot'
import { type CiError, messageOf } from 'boltbot/plugin-sdk'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { reservePort } from '../e2e/rig/ports.ts'
import { missing } from '../plugins/vc/real-repositories.ts'
import { createRepository } from '../plugins/vc/repository.ts'

const SSHD = '/usr/sbin/sshd'
const skip = (existsSync(SSHD) ? false : 'sshd is not installed') || (await missing('ssh'))

/** A server that lets in who has the key, on this machine and as this user; its log is in the folder. */
async function server(context: TestContext) {
  const repository = await createRepository()
  await repository.commit('one', { 'a.c': 'one\n' })
  const at = (name: string) => join(repository.folder, name)
  const makeKey = (name: string) => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', at(name)])
    return readFileSync(at(`${name}.pub`), 'utf8')
  }
  const host = makeKey('host-key')
  writeFileSync(at('authorized'), makeKey('own-key'))
  const isRoot = process.getuid?.() === 0
  if (isRoot) mkdirSync('/run/sshd', { recursive: true }) // it wants that to be there
  const port = await reservePort()
  const config = [
    ...[
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host-key')}`,
      `AuthorizedKeysFile ${at('authorized')}`,
    ],
    ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password'],
    ...['StrictModes no', 'PidFile none', `UsePAM ${isRoot ? 'yes' : 'no'}`],
  ]
  writeFileSync(at('sshd_config'), `${config.join('\n')}\n`)
  const daemon = spawn(SSHD, ['-D', '-f', at('sshd_config'), '-E', at('sshd.log')], { stdio: 'ignore' })
  context.after(async () => {
    daemon.kill()
    await once(daemon, 'exit')
    await repository[Symbol.asyncDispose]()
  })
  await until(() => isOpen(port), { what: 'sshd to listen' })
  return {
    repository,
    repourl: `ssh://${userInfo().username}@127.0.0.1:${port}${repository.path}`,
    /** A line of known_hosts. */
    known: (key: string) => `[127.0.0.1]:${port} ${key.trim()}`,
    hostKey: host,
    makeKey,
    secretOf: (name: string) => readFileSync(at(name), 'utf8'),
    log: () => readFileSync(at('sshd.log'), 'utf8'),
  }
}

function isOpen(port: number): Promise<true | undefined> {
  const { promise, resolve } = Promise.withResolvers<true | undefined>()
  const socket = connect(port, '127.0.0.1')
  socket.on('connect', () => resolve(true)).on('error', () => resolve(undefined))
  return promise.finally(() => socket.destroy())
}

async function failure(poll: Promise<void>): Promise<CiError> {
  const error = await poll.then(
    () => assert.fail('the poll went well'),
    (reason: CiError) => reason,
  )
  return error
}

test('a git poller reads over a real ssh with its own key from the server it knows', { skip }, async (context) => {
  const { repository, repourl, known, hostKey, secretOf, log } = await server(context)
  const secrets = { key: secretOf('own-key').trimEnd() }
  await using host = createTestHost({ directory: join(repository.folder, 'poller'), secrets })
  mkdirSync(join(repository.folder, 'poller'))
  await host.run(gitPoller({ repourl, branches: true, sshPrivateKey: secret('key'), sshKnownHosts: known(hostKey) }))
  await host.poll().catch((error) => assert.fail(`${messageOf(error)}\n${log()}`))
  await repository.commit('two', { 'grün.c': 'two\n' })
  await host.poll()
  assert.deepEqual(
    host.records.changes.map(({ comments, files }) => [comments, files]),
    [['two', ['grün.c']]],
  )
})

test('a server with another host key is told nothing, in one clear sentence', { skip }, async (context) => {
  const { repository, repourl, known, makeKey, secretOf, log } = await server(context)
  const directory = join(repository.folder, 'poller')
  mkdirSync(directory)
  const other = makeKey('other-host-key')
  for (const sshKnownHosts of [known(other), `git.example.org ${other.trim()}`]) {
    await using host = createTestHost({ directory, secrets: { key: secretOf('own-key') } })
    await host.run(gitPoller({ repourl, branches: true, sshPrivateKey: secret('key'), sshKnownHosts }))
    const { code, message } = await failure(host.poll())
    assert.equal(code, 'BOLT_VC_HOST_KEY', `${message}\n${log()}`)
    assert.match(message, /^"git ls-remote" was ended before .* its host key is none of those that are known for it\.$/)
  }
  assert.doesNotMatch(log(), /Accepted publickey/)
})

test('a key that the server does not take is told in its own words', { skip }, async (context) => {
  const { repository, repourl, known, hostKey, makeKey, secretOf } = await server(context)
  const directory = join(repository.folder, 'poller')
  mkdirSync(directory)
  makeKey('strange-key')
  await using host = createTestHost({ directory, secrets: { key: secretOf('strange-key') } })
  await host.run(gitPoller({ repourl, branches: true, sshPrivateKey: secret('key'), sshKnownHosts: known(hostKey) }))
  const { code, message } = await failure(host.poll())
  assert.deepEqual([code, /Permission denied \(publickey/.test(message)], ['BOLT_VC_FAILED', true], message)
})
