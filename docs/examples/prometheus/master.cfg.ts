import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from 'boltbot/plugins/slaves/local'
import { shellCommand } from 'boltbot/plugins/steps'
import { prometheus } from './prometheus.ts'

const here = slave({ name: 'here' })
const full = builder({
  name: 'full',
  slaves: [here],
  factory: buildFactory([shellCommand({ command: ['echo', 'It works.'] })]),
})

export default defineMaster({
  projectName: 'Metrics',
  transports: [local()],
  http: { port: 8010 }, // Prometheus scrapes http://127.0.0.1:8010/metrics
  slaves: [here],
  builders: [full],
  status: [prometheus()],
})
