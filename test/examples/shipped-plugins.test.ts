import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { checkInFreshProcess } from '../../core/config/evaluate.ts'
import { createConfigFolder } from '../rig/config-folder.ts'

const root = resolve(import.meta.dirname, '../..')

/** Each plugin that comes along, in use; the templates of `boltbot new-plugin` as they are copied. */
const CONFIG = `import { builder, buildFactory, defineMaster, secret, slave } from 'boltbot'
import { freshCvs } from 'boltbot/plugins/changes/freshcvs'
import { maildir, syncmail } from 'boltbot/plugins/changes/maildir'
import { pbChangeSource } from 'boltbot/plugins/changes/pb'
import { webhook } from 'boltbot/plugins/changes/webhook'
import { anyBranch, dependent, forceScheduler, nightly, periodic, scheduler, triggerable, tryJobdir, tryUserpass } from 'boltbot/plugins/schedulers'
import { debugPort } from 'boltbot/plugins/services/debug-port'
import { local } from 'boltbot/plugins/slaves/local'
import { stockWorkers } from 'boltbot/plugins/slaves/pb'
import { processes } from 'boltbot/plugins/slaves/process'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { consoleStatus } from 'boltbot/plugins/status/console'
import { irc } from 'boltbot/plugins/status/irc'
import { mailNotifier, mailServer } from 'boltbot/plugins/status/mail'
import { missingSlave } from 'boltbot/plugins/status/missing-slave'
import { pbListener } from 'boltbot/plugins/status/pb-listener'
import { web } from 'boltbot/plugins/status/web'
import { shellCommand } from 'boltbot/plugins/steps'
import { bonsaiPoller } from 'boltbot/plugins/vc/bonsai'
import { bzrPoller } from 'boltbot/plugins/vc/bzr'
import { cvsPoller } from 'boltbot/plugins/vc/cvs'
import { darcsPoller } from 'boltbot/plugins/vc/darcs'
import { gitPoller } from 'boltbot/plugins/vc/git'
import { hgPoller } from 'boltbot/plugins/vc/hg'
import { svnPoller } from 'boltbot/plugins/vc/svn'
import * as source from './templates/change-source/index.ts'
import * as rules from './templates/scheduler/index.ts'
import * as service from './templates/service/index.ts'
import * as transport from './templates/slave/index.ts'
import * as status from './templates/status/index.ts'

const bot = slave({ name: 'bot', password: secret('bot') })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ name: 'make', command: 'make' })]) })
const tests = scheduler({ name: 'tests', branch: 'main', builders: [full] })
const repourl = 'https://vc.example.org/hello'
export default defineMaster({
  projectName: 'Hello', slaves: [bot], builders: [full], http: { port: 8010 },
  transports: [local(), stockWorkers({ port: 9989 }), processes(), agents({ port: 9990 }), transport.myPlugin({ id: 'transport' })],
  sources: [
    freshCvs({ host: 'cvs.example.org', user: 'foo', password: secret('freshcvs') }),
    maildir({ path: '/nowhere/Maildir', parser: syncmail }),
    pbChangeSource({ user: 'change', password: secret('change') }),
    webhook({ forge: 'github', secret: secret('github-hook') }),
    bonsaiPoller({ bonsaiurl: 'https://bonsai.example.org', treeid: 'Hello', cvsroot: '/cvsroot' }),
    bzrPoller({ repourl, username: 'ci', password: secret('bzr') }), cvsPoller({ cvsroot: ':pserver:anonymous@cvs.example.org:/cvsroot', cvsmodule: 'hello' }),
    darcsPoller({ repourl }), gitPoller({ repourl, branches: true }), hgPoller({ repourl }), svnPoller({ svnurl: repourl }),
    source.myPlugin({ id: 'source', file: '/nowhere/VERSION' }),
  ],
  schedulers: [
    tests, anyBranch({ name: 'any', builders: [full] }), dependent({ name: 'behind', upstream: tests, builders: [full] }),
    forceScheduler({ name: 'release', builders: [full], parameters: { version: { type: 'string' } } }),
    nightly({ name: 'nights', hour: 3, builders: [full] }), periodic({ name: 'hours', periodicBuildTimer: '1h', builders: [full] }),
    triggerable({ name: 'packages', builders: [full] }), tryJobdir({ name: 'try', jobdir: '/nowhere/jobdir', builders: [full] }),
    tryUserpass({ name: 'try2', builders: [full], port: 8031, userpass: [['alice', secret('alice')]] }),
    rules.myPlugin({ name: 'mine', builders: [full] }),
  ],
  status: [
    consoleStatus(), irc({ host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'], sasl: { account: 'bot', password: secret('irc') } }),
    mailServer({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org', smtpUser: 'ci', smtpPassword: secret('smtp') }),
    mailNotifier({ fromaddr: 'ci@example.org' }), missingSlave(), pbListener({ port: 9988, password: secret('status') }),
    web({ users: { jane: secret('web-jane') } }), status.myPlugin({ id: 'status' }),
  ],
  plugins: [debugPort({ port: 9991, debugPassword: secret('debug') }), service.myPlugin({ id: 'service' })],
})
`

test('no plugin that comes along is refused for what it does in apply', async () => {
  const templates = globSync('plugin-sdk/templates/*/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => [file.replace('plugin-sdk/', ''), readFileSync(join(root, file), 'utf8')])
  await using folder = await createConfigFolder({ ...Object.fromEntries(templates), 'master.cfg.ts': CONFIG })
  const { problems } = await checkInFreshProcess(join(folder.path, 'master.cfg.ts'))
  assert.deepEqual(problems, [])

  const defined = globSync('plugins/**/*.ts', { cwd: root }).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/^export const (\w+) = definePlugin\b/gm)].map(
      ([, name]) => name!,
    ),
  )
  assert.ok(defined.length > 25)
  assert.deepEqual(
    defined.filter((name) => !CONFIG.includes(`${name}({`) && !CONFIG.includes(`${name}()`)),
    [],
    'plugins that the config above does not use',
  )
})
