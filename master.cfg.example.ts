// An example of a master's config. Copy it into a base directory: boltbot master ci --config master.cfg.example.ts
//
//   boltbot checkconfig ci   shows every mistake in it
//   boltbot reconfig ci      has the running master read it again; running builds finish with what they began with
//
// It is data only: nothing opens while it is read. Durations are seconds, or text such as '90s', '5m', '1h30m'.
import { builder, buildFactory, defineMaster, interpolate, masterLock, secret, slave, slaveLock } from 'boltbot'
import { definePlugin } from 'boltbot/plugin-sdk'
import { scheduler } from 'boltbot/plugins/schedulers'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { consoleStatus } from 'boltbot/plugins/status/console'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { web } from 'boltbot/plugins/status/web'
import { compile, shellCommand, test } from 'boltbot/plugins/steps'
import { git, gitPoller } from 'boltbot/plugins/vc/git'

const repourl = 'https://git.example.org/hello.git'

// Slaves: the machines that build. Each is set up there with: boltbot slave BASEDIR HOST:9990 NAME PASSWORD
// A secret is a file of its name in the folder secrets/ of the base directory (mode 0600), or BOLTBOT_SECRET_BOT_LINUX.
const linux = slave({ name: 'bot-linux', password: secret('bot-linux'), maxBuilds: 2 })
const bsd = slave({ name: 'bot-bsd', password: secret('bot-bsd') })

// Locks: how many may use something at once. A master lock counts everywhere, a slave lock on each slave by itself.
const database = masterLock('database')
const cpu = slaveLock('cpu', { maxCount: 2 })

// Builders: what to do with a revision, and on which slaves. A slave that is not declared above does not compile.
const full = builder({
  name: 'full',
  slaves: [linux, bsd],
  category: 'active',
  locks: [cpu.access('counting')],
  env: { LANG: 'C.UTF-8' },
  factory: buildFactory([
    git({ repourl, mode: 'copy', retry: ['10s', 2] }),
    compile({ timeout: '20m' }), // make all; warnings of the compiler make the result "warnings"
    test({ locks: [database.access('exclusive')] }), // make test; one at a time, wherever it runs
  ]),
})

const tarball = builder({
  name: 'tarball',
  slaves: [linux],
  category: 'active',
  factory: buildFactory([
    git({ repourl, mode: 'export' }),
    shellCommand({ name: 'pack', command: ['tar', 'czf', interpolate`../hello-${'got_revision'}.tgz`, '.'] }),
  ]),
})

// Schedulers: which changes are built, by which builders, and when.
const tests = scheduler({
  name: 'tests',
  branch: 'main',
  treeStableTimer: '5m', // wait until nobody has committed for so long, then build all of it at once
  fileIsImportant: (change) => change.files.some((file) => !file.startsWith('docs/')),
  builders: [full],
})
const release = scheduler({ name: 'release', branch: 'release', builders: [full, tarball] })

// A plugin of your own. durable: no event is lost in a crash; one may come twice, with the same eventId.
const lamp = definePlugin({
  name: 'lamp',
  kind: 'status',
  durable: true,
  apply(host, options: { url: string }) {
    host.tap('buildFinished', async ({ eventId, builder, result }, { signal }) => {
      const body = JSON.stringify({ builder, lit: result === 'failure' })
      await fetch(options.url, { method: 'POST', signal, headers: { 'idempotency-key': `${eventId}` }, body })
    })
  },
})

export default defineMaster({
  projectName: 'Hello',
  projectURL: 'https://hello.example.org/',

  // How slaves reach this master. Without an interface only this machine can; give tls: {…} for others.
  transports: [agents({ port: 'tcp:9990:interface=127.0.0.1' })],
  slaves: [linux, bsd],
  builders: [full, tarball],

  sources: [gitPoller({ repourl, branches: ['main', 'release'], pollInterval: '2m' })],
  schedulers: [tests, release],

  // Whose address is not in the commit itself.
  people: { mailDomain: 'example.org', table: { root: { mail: 'admin@example.org' } } },

  // Web pages at http://127.0.0.1:8010/. For others put a proxy with TLS in front, and say here where people reach them.
  http: { port: 8010, trustedProxies: ['127.0.0.1'] },
  buildbotURL: 'https://ci.example.org/',

  status: [
    consoleStatus({ color: 'never' }),
    // Everybody may look. To let people ask for builds: users: { jane: secret('web-jane') }, see boltbot hash-password,
    // and access: { force: ['person:jane'] } below.
    web(),
    mailNotifier({
      fromaddr: 'buildbot@example.org',
      relayhost: 'mail.example.org',
      mode: 'problem', // when a build fails and the one before did not
      sendToInterestedUsers: true, // those who committed what is in it
      extraRecipients: ['builds@example.org'],
    }),
    lamp({ url: 'http://lamp.example.org/' }),
  ],

  // What is kept. Running builds, and events that a durable plugin has not seen yet, always are.
  retention: { builds: { count: 1000 }, logs: { age: '90d' }, journal: { age: '30d' } },
})
