import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'
import { feed } from './feed.ts'

const here = slave({ name: 'here' })
const upgrade = builder({
  name: 'upgrade',
  slaves: [here],
  factory: buildFactory([shellCommand({ command: ['echo', 'There is a new Node.'] })]),
})

export default defineMaster({
  projectName: 'Dependencies',
  transports: [local()],
  slaves: [here],
  builders: [upgrade],
  sources: [feed({ url: 'https://github.com/nodejs/node/releases.atom', category: 'node' })],
  schedulers: [scheduler({ name: 'node', branch: null, changeFilter: { category: 'node' }, builders: [upgrade] })],
})
