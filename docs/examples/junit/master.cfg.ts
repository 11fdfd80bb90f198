import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { test } from 'boltbot/plugins/steps'
import { testReport } from './junit.ts'

const here = slave({ name: 'here' })
const full = builder({
  name: 'full',
  slaves: [here],
  factory: buildFactory([test({ command: ['mvn', '--batch-mode', 'test'], flunkOnFailure: false }), testReport()]),
})

export default defineMaster({
  projectName: 'Tests',
  transports: [local()],
  slaves: [here],
  builders: [full],
})
