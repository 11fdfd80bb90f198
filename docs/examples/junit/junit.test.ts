import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { testReport } from './junit.ts'
import { parseJUnit, parseTap } from './parse.ts'

const REPORT = `<?xml version="1.0"?>
<testsuites><testsuite name="math" tests="3">
  <testcase classname="math" name="adds" time="0.1"/>
  <testcase classname="math" name='a &gt; b > c'><skipped/></testcase>
  <testcase classname="math" name="divides"><failure message="1 &lt; 2"><![CDATA[at line 3: a<b>]]></failure></testcase>
</testsuite></testsuites>`

test('test cases of JUnit are read', () => {
  assert.deepEqual(parseJUnit(REPORT), [
    { name: 'math.adds', outcome: 'passed', message: '' },
    { name: 'math.a > b > c', outcome: 'skipped', message: '' },
    { name: 'math.divides', outcome: 'failed', message: '1 < 2\nat line 3: a<b>' },
  ])
})

test('tests of TAP are read', () => {
  const tap =
    'TAP version 14\n1..3\nok 1 - adds\nnot ok 2 - divides\n  ---\n  by: zero\n  ...\nok 3 - prints # SKIP no printer\n'
  assert.deepEqual(parseTap(tap), [
    { name: 'adds', outcome: 'passed', message: '' },
    { name: 'divides', outcome: 'failed', message: '---\nby: zero\n...' },
    { name: 'prints', outcome: 'skipped', message: '' },
  ])
})

const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([testReport()]) })
const config = defineMaster({ projectName: 'Tests', transports: [], slaves: [bot], builders: [full] })

test('failed tests fail the step and are named', async () => {
  const found = { match: 'glob', result: { data: ['build/TEST-math.xml'] } }
  await using rig = await createRig({ config, slaves: { bot: [found, { match: 'upload', upload: REPORT }] } })
  await rig.force('full')

  const build = await rig.until.build('full', 'failure')

  assert.equal(build.steps[0]?.text, '3 tests 1 failed')
  assert.deepEqual(build.properties.failed_tests?.value, ['math.divides'])
  const log = await rig.query.logTail({ build: build.id, step: 0, log: 'failed' })
  assert.equal(log, 'math.divides\n1 < 2\nat line 3: a<b>\n\n')
})

test('no results at all are a warning', async () => {
  await using rig = await createRig({ config, slaves: { bot: [{ match: 'glob', result: { data: [] } }] } })
  await rig.force('full')
  const build = await rig.until.build('full')
  assert.equal(build.steps[0]?.result, 'warnings')
})
