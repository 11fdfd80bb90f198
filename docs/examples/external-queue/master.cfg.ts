import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { mailServer } from 'boltbot/plugins/status/mail'
import { compile } from 'boltbot/plugins/steps'
import { git } from 'boltbot/plugins/vc/git'
import { externalQueue } from './external-queue.ts'

const here = slave({ name: 'here' })
const full = builder({
  name: 'full',
  slaves: [here],
  factory: buildFactory([git({ repourl: 'https://git.example.org/hello.git' }), compile()]),
})

export default defineMaster({
  projectName: 'Queue',
  transports: [local()],
  slaves: [here],
  builders: [full],
  people: { mailDomain: 'example.org' },
  status: [mailServer({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org' })],
  plugins: [externalQueue({ database: '/srv/builds/builds.sqlite', port: 9999, builder: 'full' })],
})
