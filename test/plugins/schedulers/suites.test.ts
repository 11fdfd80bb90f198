import { test } from 'node:test'
import { schedulerSuite } from 'boltbot/plugin-sdk/testing'
import {
  anyBranch,
  dependent,
  forceScheduler,
  nightly,
  periodic,
  scheduler,
  triggerable,
} from 'boltbot/plugins/schedulers'

const builders = ['full']

schedulerSuite(test, {
  name: 'scheduler',
  plugin: () => scheduler({ name: 'tests', builders, branch: 'main', treeStableTimer: '5m' }),
})
schedulerSuite(test, { name: 'anyBranch', plugin: () => anyBranch({ name: 'all', builders, treeStableTimer: '5m' }) })
schedulerSuite(test, {
  name: 'nightly',
  plugin: () => nightly({ name: 'night', builders, branch: 'main', hour: 3, minute: 0 }),
  patience: '3d',
})
schedulerSuite(test, {
  name: 'nightly with onlyIfChanged',
  plugin: () => nightly({ name: 'night', builders, branch: 'main', hour: [3, 15], onlyIfChanged: true }),
  patience: '3d',
})
schedulerSuite(test, {
  name: 'periodic',
  plugin: () => periodic({ name: 'hourly', builders, periodicBuildTimer: '1h' }),
  patience: '3h',
})
schedulerSuite(test, { name: 'triggerable', plugin: () => triggerable({ name: 'packages', builders }) })
schedulerSuite(test, { name: 'forceScheduler', plugin: () => forceScheduler({ name: 'force', builders }) })
{
  const upstream = scheduler({ name: 'tests', builders, branch: 'main', treeStableTimer: '5m' })
  schedulerSuite(test, {
    name: 'dependent',
    plugin: () => dependent({ name: 'packages', builders: ['tarball'], upstream }),
    others: () => [upstream],
  })
}
