import { test } from 'node:test'
import { builder, buildFactory } from 'boltbot/plugin-sdk'
import { stepSuite } from 'boltbot/plugin-sdk/testing'
import { triggerable } from 'boltbot/plugins/schedulers'
import { compile, configure, test as runTests, shellCommand, trigger } from 'boltbot/plugins/steps'
import { git } from 'boltbot/plugins/vc/git'

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

const HEAD = '0123456789abcdef0123456789abcdef01234567'
stepSuite(test, {
  name: 'git',
  step: () => git({ repourl: 'https://git.example.org/hello.git', branch: 'main' }),
  answers: [
    { match: 'stat ', result: { data: null } },
    { match: 'rev-parse', output: `${HEAD}\n` },
  ],
})
