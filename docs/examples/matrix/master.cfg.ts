import { builder, buildFactory, defineMaster, secret, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'
import { matrix } from './matrix.ts'

const here = slave({ name: 'here' })
const full = builder({
  name: 'full',
  slaves: [here],
  factory: buildFactory([shellCommand({ command: ['make', 'test'] })]),
})

export default defineMaster({
  projectName: 'Matrix',
  transports: [local()],
  slaves: [here],
  builders: [full],
  status: [matrix({ homeserver: 'https://matrix.example.org', room: '!abc:example.org', token: secret('matrix') })],
})
