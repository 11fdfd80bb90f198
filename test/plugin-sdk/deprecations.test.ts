import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heedDeprecations } from 'boltbot/plugin-sdk'
import { createMemoryLog, createTestHost } from 'boltbot/plugin-sdk/testing'

const deprecations = { host: { pollSoon: 'host.look' }, definition: { servesHttp: "needs: ['http']" } }

test('what is deprecated works on, and is told once with what to use instead', async () => {
  const log = createMemoryLog()
  const test = createTestHost()
  const host = heedDeprecations(test.host, { name: 'lamp', servesHttp: true }, log, deprecations)
  assert.equal(await host.pollSoon('https://git.example.org/a.git'), 0)
  assert.equal(await host.pollSoon('https://git.example.org/b.git'), 0)
  assert.equal(test.records.polledSoon.length, 2)
  assert.deepEqual(
    log.find('warn').map(({ fields }) => fields),
    [
      { used: 'definition.servesHttp', instead: "needs: ['http']" },
      { used: 'host.pollSoon', instead: 'host.look' },
    ],
  )
})

test('who uses nothing deprecated is told nothing, and has the same host', async () => {
  const log = createMemoryLog()
  const test = createTestHost()
  const host = heedDeprecations(test.host, { name: 'lamp' }, log, deprecations)
  await host.state.set('a', 1)
  assert.equal(await test.host.state.get('a'), 1)
  assert.deepEqual(Object.keys(host), Object.keys(test.host))
  assert.deepEqual(log.lines, [])
})
