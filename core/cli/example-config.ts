/** The config of a new base directory: small, and it works as it is. */
export const EXAMPLE_CONFIG = `// The config of this master: data only, nothing opens while it is read.
//   boltbot checkconfig   shows every mistake in it
//   boltbot reconfig .    has the running master read it again
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'

// A slave does the work. This one is a process that the master starts itself, on this machine. A slave on another machine
// has a password and comes over a network transport:
//   import { secret } from 'boltbot'
//   import { agents } from 'boltbot/plugins/slaves/websocket'
//   const linux = slave({ name: 'bot-linux', password: secret('bot-linux') })   // its value: the file secrets/bot-linux, mode 0600
//   transports: [local(), agents({ port: 'tcp:9990' })]
const here = slave({ name: 'here' })

// A builder runs its steps on one of its slaves. To build a real project, check it out first:
//   import { git } from 'boltbot/plugins/vc/git'
//   factory: buildFactory([git({ repourl: 'https://git.example.org/hello.git' }), compile(), test()])
const hello = builder({
  name: 'hello',
  slaves: [here],
  factory: buildFactory([shellCommand({ command: ['echo', 'It works.'] })]),
})

export default defineMaster({
  projectName: 'Hello',
  transports: [local()],
  slaves: [here],
  builders: [hello],

  // Where changes come from:
  //   import { gitPoller } from 'boltbot/plugins/vc/git'
  //   sources: [gitPoller({ repourl: 'https://git.example.org/hello.git', branches: ['main'] })],

  // Which changes start which builders, and when:
  //   import { scheduler } from 'boltbot/plugins/schedulers'
  //   schedulers: [scheduler({ name: 'tests', branch: 'main', treeStableTimer: '1m', builders: [hello] })],

  // Web pages at http://127.0.0.1:8010/:
  //   import { web } from 'boltbot/plugins/status/web'
  //   http: { port: 8010 }, status: [web()],

  // Who is told what came of it:
  //   import { mailNotifier } from 'boltbot/plugins/status/mail'
  //   status: [mailNotifier({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org', mode: 'problem' })],
})
`
