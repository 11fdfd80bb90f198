// What Buildbot calls things, for people who come with a master.cfg of it: docs/from-buildbot.md is the long version.
import { suggest } from 'boltbot/plugin-sdk'

/** What to write for a key that Buildbot has at this place; `undefined`: it has none, or it is called the same. */
export function formerKey(key: string, known: readonly string[]): string | undefined {
  const place = PLACES.find(({ has }) => known.includes(has))
  const write = place !== undefined && Object.hasOwn(place.keys, key) ? place.keys[key] : undefined
  return write === undefined ? undefined : `"${key}" is a key of Buildbot. ${write}`
}

/** What to write for a name that a module of ours does not export. */
export function formerExport(name: string, module: string): string | undefined {
  const named = Object.entries(EXPORTS).find(([, { former }]) => former.includes(name))
  const near = named?.[0] ?? suggest(name, namesOf(module))
  return near === undefined ? undefined : `Write: import { ${near} } from '${EXPORTS[near]!.from}'.`
}

/** A module of ours that ends like one that is not there. */
export function nearModule(module: string): string | undefined {
  const all = [...new Set(Object.values(EXPORTS).map(({ from }) => from))]
  const last = lastPart(module)
  return all.find((one) => lastPart(one) === last) ?? suggest(module, all)
}

const lastPart = (module: string) => module.slice(module.lastIndexOf('/') + 1)

const namesOf = (module: string) => Object.keys(EXPORTS).filter((name) => EXPORTS[name]!.from === module)

const RETENTION = `Write retention: { builds: { age: '365d' }, logs: { age: '90d' } }.`
const SLAVES = `Write slaves: [linux], where const linux = slave({ name: 'bot-linux', password: secret('bot-linux') }).`
const PORT = `Write transports: [stockWorkers({ port: 'tcp:9989' })] for slaves of Buildbot, agents({ port: 'tcp:9990' }) for those of Boltbot.`
const ACCESS = `Who may do what stands in defineMaster: access: { force: ['role:committer'] }.`
const ALWAYS = 'Leave it out: finished logs are compressed.'

/** Keys of Buildbot by place; a place is known by a key that no other has. */
const PLACES: readonly { readonly has: string; readonly keys: Readonly<Record<string, string>> }[] = [
  {
    has: 'transports',
    keys: {
      bots: SLAVES,
      workers: SLAVES,
      slavePort: PORT,
      slavePortnum: PORT,
      protocols: PORT,
      change_source: 'Write sources: [ … ].',
      title: 'Write projectName.',
      titleURL: 'Write projectURL.',
      debugPassword: `Write plugins: [debugPort({ debugPassword: secret('debug') })]; "boltbot" itself needs none on this machine.`,
      manhole: 'There is none: "boltbot chat", "boltbot doctor" and "boltbot plugins" look into a running master.',
      www: 'Write http: { port: 8010 }, status: [web()].',
      db: `Leave it out for SQLite, or write store: { postgres: 'postgres://ci@db.example.org/boltbot' }.`,
      db_url: `Leave it out for SQLite, or write store: { postgres: 'postgres://ci@db.example.org/boltbot' }.`,
      collapseRequests: 'Write mergeRequests.',
      buildHorizon: RETENTION,
      logHorizon: RETENTION,
      eventHorizon: RETENTION,
      changeHorizon: `Write retention: { changes: { age: '365d' } }.`,
      logCompressionLimit: ALWAYS,
      logCompressionMethod: ALWAYS,
      services: 'Write status: [ … ] for those that tell people, plugins: [ … ] for others.',
    },
  },
  {
    has: 'factory',
    keys: {
      slavename: 'Write slaves: [linux], with what slave({ … }) gave.',
      slavenames: 'Write slaves: [linux, bsd], with what slave({ … }) gave.',
      workername: 'Write slaves: [linux], with what slave({ … }) gave.',
      workernames: 'Write slaves: [linux, bsd], with what slave({ … }) gave.',
      slavebuilddir: 'Write builddir.',
      workerbuilddir: 'Write builddir.',
      nextWorker: 'Write nextSlave.',
      collapseRequests: 'Write mergeRequests.',
      tags: `Write category: 'active'.`,
      periodicBuildTime: `Write schedulers: [periodic({ name: 'hourly', periodicBuildTimer: '1h', builders: [full] })] in defineMaster.`,
    },
  },
  {
    has: 'fileIsImportant',
    keys: {
      builderNames: 'Write builders: [full], with what builder({ … }) gave.',
      categories: `Write changeFilter: { category: 'docs' }.`,
    },
  },
  {
    has: 'nickserv',
    keys: {
      allowForce: ACCESS,
      allowShutdown: ACCESS,
      authz: ACCESS,
      notify_events: `Write notify: ['problem', 'recovery'].`,
      useSSL: 'Write tls: true.',
      noticeOnChannel: 'Write notice: true.',
    },
  },
  {
    has: 'relayhost',
    keys: {
      useTls: `Write tls: 'starttls'.`,
      useSmtps: `Write tls: 'smtps'.`,
      messageFormatter: 'Write template, a function that gives the text.',
    },
  },
  {
    has: 'userHeader',
    keys: {
      http_port: 'Write http: { port: 8010 } in defineMaster.',
      distrib_port: 'There is none: put a proxy in front of http.',
      allowForce: ACCESS,
      authz: ACCESS,
      css: 'Leave it out: the pages have their own.',
      favicon: 'Leave it out: the pages have their own.',
      robots_txt: 'Leave it out.',
    },
  },
]

/** What can be imported from us, and what it is called in Buildbot. */
export const EXPORTS: Readonly<Record<string, { readonly from: string; readonly former: readonly string[] }>> = {
  builder: { from: 'boltbot', former: ['BuilderConfig'] },
  buildFactory: { from: 'boltbot', former: ['BuildFactory', 'BasicBuildFactory'] },
  defineMaster: { from: 'boltbot', former: ['BuildmasterConfig'] },
  interpolate: { from: 'boltbot', former: ['Interpolate', 'Property'] },
  masterLock: { from: 'boltbot', former: ['MasterLock'] },
  secret: { from: 'boltbot', former: ['Secret'] },
  slave: { from: 'boltbot', former: ['BuildSlave', 'Worker'] },
  slaveLock: { from: 'boltbot', former: ['SlaveLock', 'WorkerLock'] },
  withProperties: { from: 'boltbot', former: ['WithProperties'] },
  definePlugin: {
    from: 'boltbot/plugin-sdk',
    former: ['StatusReceiver', 'StatusReceiverMultiService', 'ChangeSource'],
  },
  defineStep: { from: 'boltbot/plugin-sdk', former: ['BuildStep', 'LoggingBuildStep'] },
  anyBranch: { from: 'boltbot/plugins/schedulers', former: ['AnyBranchScheduler'] },
  dependent: { from: 'boltbot/plugins/schedulers', former: ['Dependent'] },
  forceScheduler: { from: 'boltbot/plugins/schedulers', former: ['ForceScheduler'] },
  nightly: { from: 'boltbot/plugins/schedulers', former: ['Nightly'] },
  periodic: { from: 'boltbot/plugins/schedulers', former: ['Periodic'] },
  scheduler: { from: 'boltbot/plugins/schedulers', former: ['Scheduler', 'BasicScheduler', 'SingleBranchScheduler'] },
  triggerable: { from: 'boltbot/plugins/schedulers', former: ['Triggerable'] },
  tryJobdir: { from: 'boltbot/plugins/schedulers', former: ['Try_Jobdir'] },
  tryUserpass: { from: 'boltbot/plugins/schedulers', former: ['Try_Userpass'] },
  local: { from: 'boltbot/plugins/slaves/local', former: ['LocalWorker'] },
  stockWorkers: { from: 'boltbot/plugins/slaves/pb', former: [] },
  processes: { from: 'boltbot/plugins/slaves/process', former: [] },
  agents: { from: 'boltbot/plugins/slaves/websocket', former: [] },
  freshCvs: { from: 'boltbot/plugins/changes/freshcvs', former: ['FreshCVSSource', 'FreshCVSSourceNewcred'] },
  maildir: {
    from: 'boltbot/plugins/changes/maildir',
    former: ['FCMaildirSource', 'SyncmailMaildirSource', 'BonsaiMaildirSource', 'SVNCommitEmailMaildirSource'],
  },
  pbChangeSource: { from: 'boltbot/plugins/changes/pb', former: ['PBChangeSource'] },
  webhook: { from: 'boltbot/plugins/changes/webhook', former: [] },
  debugPort: { from: 'boltbot/plugins/services/debug-port', former: [] },
  consoleStatus: { from: 'boltbot/plugins/status/console', former: [] },
  irc: { from: 'boltbot/plugins/status/irc', former: ['IRC'] },
  mailNotifier: { from: 'boltbot/plugins/status/mail', former: ['MailNotifier'] },
  missingSlave: { from: 'boltbot/plugins/status/missing-slave', former: [] },
  pbListener: { from: 'boltbot/plugins/status/pb-listener', former: ['PBListener'] },
  web: { from: 'boltbot/plugins/status/web', former: ['Waterfall', 'WebStatus'] },
  compile: { from: 'boltbot/plugins/steps', former: ['Compile'] },
  configure: { from: 'boltbot/plugins/steps', former: ['Configure'] },
  shellCommand: { from: 'boltbot/plugins/steps', former: ['ShellCommand'] },
  test: { from: 'boltbot/plugins/steps', former: ['Test'] },
  trigger: { from: 'boltbot/plugins/steps', former: ['Trigger'] },
  arch: { from: 'boltbot/plugins/vc/arch', former: ['Arch', 'Bazaar'] },
  bonsaiPoller: { from: 'boltbot/plugins/vc/bonsai', former: ['BonsaiPoller'] },
  bzr: { from: 'boltbot/plugins/vc/bzr', former: ['Bzr'] },
  bzrPoller: { from: 'boltbot/plugins/vc/bzr', former: ['BzrPoller'] },
  cvs: { from: 'boltbot/plugins/vc/cvs', former: ['CVS'] },
  cvsPoller: { from: 'boltbot/plugins/vc/cvs', former: [] },
  darcs: { from: 'boltbot/plugins/vc/darcs', former: ['Darcs'] },
  darcsPoller: { from: 'boltbot/plugins/vc/darcs', former: [] },
  git: { from: 'boltbot/plugins/vc/git', former: ['Git'] },
  gitPoller: { from: 'boltbot/plugins/vc/git', former: ['GitPoller'] },
  hg: { from: 'boltbot/plugins/vc/hg', former: ['Mercurial'] },
  hgPoller: { from: 'boltbot/plugins/vc/hg', former: ['HgPoller'] },
  svn: { from: 'boltbot/plugins/vc/svn', former: ['SVN'] },
  svnPoller: { from: 'boltbot/plugins/vc/svn', former: ['SVNPoller', 'SvnSource'] },
}
