import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { startLiveMaster } from './rig/live-master.ts'
import { absent, startWorker } from './rig/worker.ts'
import { config, sh, type Wire, workerStories } from './rig/worker-stories.ts'

const wire: Wire = {
  name: 'msgpack',
  transports: (port, onListening) => [agents({ port, onListening })],
  options: ['--protocol=msgpack_experimental_v7'],
}

workerStories(wire)

test('output comes while the command runs, and long lines come whole', {
  skip: absent('buildbot-worker'),
}, async () => {
  let port = 0
  const steps = [sh(`awk 'BEGIN { while (i++ < 20000) printf "x"; print "" }'; echo begun; exec sleep 600`)]
  await using live = await startLiveMaster(config(wire, steps, 0, (bound) => void (port = bound)))
  await using _worker = startWorker(port, { options: wire.options })
  await live.event('slaveConnected')
  live.build('full', 60_000).catch(() => {}) // it is stopped with the master
  const { build } = await live.event('buildStarted')
  const text = await until(
    async () => {
      const seen = await live.text(build, 0)
      return seen.includes('begun') && seen
    },
    { what: 'the output of a running command' },
  )
  assert.equal(text, `${'x'.repeat(20_000)}\nbegun\n`)
})
