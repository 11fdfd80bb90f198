import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'
import { officeHours } from './office-hours.ts'

const here = slave({ name: 'here' })
const full = builder({
  name: 'full',
  slaves: [here],
  factory: buildFactory([shellCommand({ command: ['echo', 'It works.'] })]),
})

export default defineMaster({
  projectName: 'Office',
  transports: [local()],
  slaves: [here],
  builders: [full],
  plugins: [officeHours({ timeZone: 'Europe/Berlin', except: ['boss'] })],
})
