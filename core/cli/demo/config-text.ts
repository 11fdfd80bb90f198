export interface DemoPlaces {
  readonly repourl: string
  readonly slavePort: number
  readonly smtpPort: number
  readonly httpPort: number
}

/** The demo's `master.cfg.ts`: as a user would write it, with short times so that nobody has to wait. */
export function demoConfig({ repourl, slavePort, smtpPort, httpPort }: DemoPlaces): string {
  return `// The config of the demo's master. Change it, then: boltbot reconfig .
import { builder, buildFactory, defineMaster, secret, slave } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { consoleStatus } from 'boltbot/plugins/status/console'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { web } from 'boltbot/plugins/status/web'
import { compile, test } from 'boltbot/plugins/steps'
import { git, gitPoller } from 'boltbot/plugins/vc/git'

const repourl = ${JSON.stringify(repourl)}

// A machine that builds. Its password is in the file secrets/bot.
const bot = slave({ name: 'bot', password: secret('bot') })

const hello = builder({
  name: 'hello',
  slaves: [bot],
  factory: buildFactory([
    git({ repourl, mode: 'copy' }),
    compile({ command: ['node', 'build.js'] }),
    test({ command: ['node', 'test.js'] }),
  ]),
})

export default defineMaster({
  projectName: 'Hello',
  transports: [agents({ port: 'tcp:${slavePort}:interface=127.0.0.1' })],
  slaves: [bot],
  builders: [hello],

  // Looks for new commits every second; a real one would be '5m'.
  sources: [gitPoller({ repourl, branches: ['main'], pollInterval: '1s' })],

  // Builds when nobody has committed for a while, so that commits which belong together are built together.
  schedulers: [scheduler({ name: 'tests', branch: 'main', treeStableTimer: '3s', builders: [hello] })],

  // Web pages, for this machine only. Everybody may look; what those who sign in may do stands in access.
  http: { port: ${httpPort} },
  access: { force: ['person:demo'], rebuild: ['person:demo'], stop: ['person:demo'], cancel: ['person:demo'] },

  status: [
    consoleStatus(),
    web({ users: { demo: secret('web-demo') } }),
    // Whoever broke the build gets a mail.
    mailNotifier({
      fromaddr: 'ci@example.org',
      relayhost: '127.0.0.1',
      smtpPort: ${smtpPort},
      mode: 'problem',
      sendToInterestedUsers: true,
    }),
  ],
})
`
}
