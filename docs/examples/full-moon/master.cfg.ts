import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'
import { fullMoon } from './full-moon.ts'

const here = slave({ name: 'here' })
const werewolf = builder({
  name: 'werewolf',
  slaves: [here],
  factory: buildFactory([shellCommand({ command: ['echo', 'Awoo!'] })]),
})

export default defineMaster({
  projectName: 'Moon',
  transports: [local()],
  slaves: [here],
  builders: [werewolf],
  schedulers: [fullMoon({ name: 'moon', builders: [werewolf] })],
})
