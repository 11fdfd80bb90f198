import { test } from 'node:test'
import { builder, buildFactory } from 'boltbot/plugin-sdk'
import { stepSuite } from 'boltbot/plugin-sdk/testing'
import { triggerable } from 'boltbot/plugins/schedulers'
import { compile, configure, test as runTests, shellCommand, trigger } from 'boltbot/plugins/steps'

stepSuite(test, { name: 'shell', step: () => shellCommand({ command: ['make'] }), answers: [{ output: 'made\n' }] })
stepSuite(test, { name: 'configure', step: () => configure() })
stepSuite(test, {
  name: 'compile',
  step: () => compile({ warningPattern: 'warning: ' }),
  answers: [{ output: 'a.c:1: warning: x\n' }],
  result: 'warnings',
})
stepSuite(test, { name: 'test', step: () => runTests({ command: ['make', 'check'] }) })
stepSuite(test, {
  name: 'trigger',
  step: () => trigger({ schedulerNames: ['packages'] }),
  config: {
    schedulers: [triggerable({ name: 'packages', builders: ['tarball'] })],
    builders: [
      builder({ name: 'tarball', slaves: ['bot'], factory: buildFactory([shellCommand({ command: 'make dist' })]) }),
    ],
  },
})
