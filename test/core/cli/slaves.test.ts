import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { reservePort } from '../../e2e/rig/ports.ts'
import { createCliRig } from '../../rig/cli.ts'

const CONFIG = `import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot', password: 'open sesame', notifyOnMissing: 'ann@example.org' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: 'echo hello' })]) })
export default defineMaster({ projectName: 'Hello', transports: [agents({ port: PORT })], slaves: [bot], builders: [full] })
`

test('a slave is paused, resumed, planned away and let go on the command line', async () => {
  await using rig = await createCliRig(['ci', 'bot'])
  const port = await reservePort()
  await rig.write('own.ts', CONFIG.replace('PORT', String(port)))
  const on = ['--basedir', 'ci']
  for (const args of [
    ['master', 'ci', '--config', 'own.ts'],
    ['slave', 'bot', `127.0.0.1:${port}`, 'bot', 'open sesame'],
    ['start', 'ci'],
    ['start', 'bot'],
  ]) {
    const done = await rig.run(...args)
    assert.equal(done.code, 0, done.err)
  }
  const paused = await rig.ask('pause', 'bot', 'disk is full', ...on)
  assert.equal(paused.out, '"bot" is paused: what it runs goes on, nothing new is given to it.\n')
  await rig.ask('force', 'full', ...on)
  assert.match((await rig.ask('why', ...on)).out, /slave bot is paused by \S+ since \S+Z: disk is full\n$/)
  assert.match((await rig.ask('slaves', ...on)).out, /^bot {2}idle, paused by \S+: disk is full {2}0 builds/)
  const facts = (await rig.ask('slaves', 'bot', ...on)).out
  assert.match(facts, /^connected since +\d{4}-.* ago\)$/m)
  assert.match(facts, /^told when missing +ann@example\.org$/m)
  assert.equal((await rig.ask('resume', 'bot', ...on)).out, '"bot" is given builds again.\n')
  await until(async () => (await rig.ask('builds', ...on)).out.includes('success'), { what: 'the build to end well' })

  assert.equal(
    (await rig.ask('slave', 'away', 'bot', '2h', 'new disk', ...on)).out,
    '"bot" is not missing before 2h are over.\n',
  )
  const leave = await rig.ask('stop', 'bot', '--graceful')
  assert.match(leave.out, /^The slave in "\S+bot" exits when it has finished what it runs\.\n$/)
  await until(async () => (await rig.ask('status', 'bot')).code === 1, { what: 'the slave to exit' })
  assert.match((await rig.ask('slaves', ...on)).out, /^bot {2}detached, away until \S+: new disk {2}/)
  assert.equal((await rig.ask('away', 'bot', '--end', ...on)).out, '"bot" is expected again.\n')

  await rig.run('start', 'bot')
  assert.equal((await rig.ask('graceful', 'bot', ...on)).out, '"bot" exits when it has finished what it runs.\n')
  await until(async () => (await rig.ask('status', 'bot')).code === 1, { what: 'the slave to exit' })

  for (const [args, message, code] of [
    [['graceful', 'bot'], /The slave "bot" is not connected\. To keep it from builds/, 1],
    [['pause', 'bott'], /There is no slave "bott"\. Did you mean "bot"\?/, 1],
    [['away', 'bot', 'tomorrow'], /The duration "tomorrow" cannot be used: it must be a time such as '90m'/, 2],
    [['away', 'bot'], /Give how long it will be away, or --end: one of the two\./, 2],
    [['why', '99'], /There is no request 99\. "boltbot why" lists/, 1],
    [['mail', 'test', 'jane@example.org'], /No plugin of the config carries messages by mail\./, 1],
    [['slaves', 'bott'], /There is no slave "bott"\. Did you mean "bot"\?/, 1],
  ] as const) {
    const refused = await rig.ask(...args, ...on)
    assert.match(refused.err, message)
    assert.equal(refused.code, code)
  }
  const ofMaster = await rig.ask('stop', 'ci', '--graceful')
  assert.match(ofMaster.err, /must be that of a slave for --graceful/)
})
