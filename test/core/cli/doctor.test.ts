import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Finding } from 'boltbot/plugin-sdk'
import { createFakeClock, createMemoryLog } from 'boltbot/plugin-sdk/testing'
import { openMasterBasedir } from '../../../core/cli/basedir.ts'
import { checkCertificate } from '../../../core/cli/doctor/certificate.ts'
import { checkDatabase } from '../../../core/cli/doctor/database.ts'
import { examine } from '../../../core/cli/doctor/doctor.ts'
import { makeMasterDirectory } from '../../../core/cli/master-directory.ts'
import { startControl } from '../../../core/control/server.ts'
import { configRejected } from '../../../core/store/config-events.ts'
import { storeHealth } from '../../../core/store/health.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { ROOT } from '../../rig/sources.ts'

/** What the doctor finds in a base directory with this config, by what it is about. */
async function findings(
  config: string,
  prepare: (basedir: string) => unknown = () => {},
): Promise<Map<string, Finding>> {
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-doctor-'))
  try {
    const { path, configFile } = makeMasterDirectory(join(folder, 'ci'), undefined)
    writeFileSync(configFile, config)
    await prepare(path)
    const found = await Array.fromAsync(examine(openMasterBasedir(path), createMemoryLog()))
    return new Map(found.map((finding) => [finding.what, finding]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const config = (more: string, imports = '') => `${imports}
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'
const here = slave({ name: 'here', password: 'x' })
export default defineMaster({
  projectName: 'Hello', slaves: [here],
  builders: [builder({ name: 'hello', slaves: [here], factory: buildFactory([shellCommand({ command: 'true' })]) })],
  ${more}
})`

const verdicts = (found: Map<string, Finding>) =>
  Object.fromEntries([...found].map(([what, { verdict }]) => [what, verdict]))

test('a fresh base directory is in order', async () => {
  const found = await findings(config('transports: [local()], http: { port: 0 }'))
  for (const what of ['master', 'node', 'database', 'config', 'web server'])
    assert.equal(found.get(what)?.verdict, 'ok', what)
  assert.ok(found.has('disk') && found.has('clock'))
})

test('a port that another program has, a repository and a mail server that are not there are named, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const imports = `import { agents } from 'boltbot/plugins/slaves/websocket'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { mailNotifier } from 'boltbot/plugins/status/mail'`
  const found = await findings(
    config(
      `transports: [agents({ port: ${port} })],
       sources: [gitPoller({ repourl: '/nowhere/hello.git', branches: ['main'] })],
       status: [mailNotifier({ fromaddr: 'ci@example.org', relayhost: '127.0.0.1', smtpPort: 9 })]`,
      imports,
    ),
  )
  server.close()
  const byPart = (part: string) => [...found].find(([what]) => what.includes(part))?.[1]
  assert.match(byPart('slaves connect')!.cure!, /Another program has it/)
  assert.equal(byPart('vc/git')?.verdict ?? byPart('/nowhere/hello.git')?.verdict, 'fail')
  assert.match(byPart('mail server 127.0.0.1:9')!.text, /ECONNREFUSED/)
  assert.match(byPart('mail server 127.0.0.1:9')!.cure!, /relayhost/)
})

test('a repository with branches is in order', async () => {
  const found = await findings(
    config(
      `transports: [local()], sources: [gitPoller({ repourl: ${JSON.stringify(makeRepository())}, branches: true })]`,
      "import { gitPoller } from 'boltbot/plugins/vc/git'",
    ),
  )
  const git = [...found].find(([what]) => what.startsWith('git '))?.[1]
  assert.deepEqual([git?.verdict, /git version/.test(git?.text ?? '')], ['ok', true])
})

test('a config with a problem, secrets that others may read, and a database of somebody else are broken', async () => {
  const found = await findings(config('transports: [local()], maxTrys: 1'), (basedir) => {
    chmodSync(join(basedir, 'secrets'), 0o755)
    writeFileSync(join(basedir, 'state.sqlite'), 'this is no database, but long enough to be looked at as one')
  })
  assert.match(found.get('config')!.text, /maxTrys/)
  assert.match(found.get('secrets')!.cure!, /chmod 700/)
  assert.deepEqual(
    [verdicts(found).config, verdicts(found).secrets, verdicts(found).database],
    ['fail', 'fail', 'fail'],
  )
})

test('a running master is asked for its database, which no other program can read', async () => {
  await using opened = new AsyncDisposableStack()
  const basedir = mkdtempSync(join(tmpdir(), 'boltbot-doctor-'))
  opened.defer(() => rmSync(basedir, { recursive: true, force: true }))
  const file = join(basedir, 'state.sqlite')
  const log = createMemoryLog()
  let disk = async () => {}
  const store = await openSqliteStore({ file, clock: createFakeClock(), log, sync: () => disk() })
  opened.defer(() => store.close())
  const look = async (isRunning: boolean) => checkDatabase(basedir, null, { resolve: String }, isRunning)
  assert.equal((await look(false)).finding.text, 'Another program has it open.')

  const dead = await look(true)
  assert.equal(dead.finding.verdict, 'fail', 'there is no socket yet')
  const methods = { database: () => storeHealth(store) }
  opened.use(await startControl({ basedir, platform: process.platform, runtimeDir: tmpdir(), methods, log }))
  await configRejected(store, ['a problem'])
  const good = await look(true)
  assert.equal(good.finding.verdict, 'ok')
  assert.match(good.finding.text, /^The running master stores in it; \d+\.\d MiB, schema \d+\./)
  assert.equal(good.lastEvent, store.now())

  disk = () => Promise.reject(new Error('EIO: i/o error'))
  const broken = await look(true)
  assert.equal(broken.finding.verdict, 'fail')
  assert.match(broken.finding.text, /could not store in it: .*EIO/)
})

test('a plugin that throws or hangs is one finding, and the others are asked', async () => {
  const plugin = (name: string, doctor: string) =>
    `definePlugin({ name: '${name}', kind: 'service', apply() {}, async doctor() { ${doctor} } })()`
  const found = await findings(
    config(
      `transports: [local()], plugins: [${plugin('bad', "throw new Error('no lamp')")}, ${plugin('good', "return [{ what: 'lamp', verdict: 'warn', text: 'It flickers.', cure: 'Change it.' }]")}]`,
      "import { definePlugin } from 'boltbot/plugin-sdk'",
    ),
  )
  assert.deepEqual(found.get('bad'), { what: 'bad', verdict: 'fail', text: 'no lamp' })
  assert.deepEqual(found.get('good: lamp'), {
    what: 'good: lamp',
    verdict: 'warn',
    text: 'It flickers.',
    cure: 'Change it.',
  })
})

test('a certificate is good, ends soon, has ended, or is none', () => {
  const pem = readFileSync(join(ROOT, 'test/fixtures/tls/localhost.crt'))
  const until = Date.parse(execFileSync('openssl', ['x509', '-noout', '-enddate'], { input: pem }).toString().slice(9))
  const verdict = (daysBefore: number) => checkCertificate('web', pem, until - daysBefore * 86_400_000).verdict
  assert.deepEqual([verdict(60), verdict(10), verdict(-1)], ['ok', 'warn', 'fail'])
  assert.equal(checkCertificate('web', 'nonsense', 0).verdict, 'fail')
})

/** A repository with a branch. */
function makeRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'boltbot-doctor-git-'))
  const git = (...args: readonly string[]) => execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' })
  git('init', '-b', 'main')
  git('-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '--allow-empty', '-m', 'x')
  return folder
}

test('people whom the config names, and the directory it asks, are looked at', async () => {
  const people = async (options: string) =>
    (await findings(config(`transports: [local()], people: ${options}`))).get('people')
  assert.equal(await people(`'example.org'`), undefined, 'nobody is named')
  const rota = `sheriff: { rota: ['ann', 'Bob B'], start: '2020-01-01', period: '100000d' }`
  const missed = await people(`{ mailDomain: 'example.org', owners: { 'docs/': 'ann' }, ${rota} }`)
  assert.deepEqual(
    [missed?.verdict, missed?.text],
    ['warn', 'No mail address is known of "Bob B". Sheriff today: ann.'],
  )
  const good = await people(`{ mailDomain: 'example.org', owners: { 'docs/': 'ann' } }`)
  assert.equal(good?.text, 'All whom the config names can be reached.')
  const broken = await people(`{ ${rota}, lookup: async () => { throw new Error('ldap is down') } }`)
  assert.equal(broken?.verdict, 'fail')
  assert.match(broken?.text ?? '', /could not be looked up: ldap is down/)
  assert.equal((await people(`async (who) => who + '@example.org'`))?.text, 'The lookup answers.')
})
