import assert from 'node:assert/strict'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText } from './rig/config.ts'
import { createMailServer } from './rig/mail-server.ts'
import { reservePort } from './rig/ports.ts'
import { story } from './rig.ts'

story('a mail that is due while the mail server is down comes once it is back, exactly once', async (world) => {
  const mails = world.use(await createMailServer())
  const port = await reservePort()
  const master = await world.master(
    configText({
      slavePort: port,
      steps: `shellCommand({ command: ['node', '-e', 'process.exit(1)'] })`,
      status: `mailNotifier({ fromaddr: 'ci@example.org', relayhost: '127.0.0.1', smtpPort: ${mails.port}, mode: 'failing', extraRecipients: ['crew@example.org'] }),`,
    }),
  )
  await world.slave('bot-1', port)
  await master.event('slaveConnected')
  await mails.down()
  const force = (reason: string) => master.call('force', { builder: 'full', who: 'joe', reason })
  await force('while it is down')
  assert.equal((await master.finished(0)).result, 'failure')
  await master.line(/ECONNREFUSED/, 30_000)
  assert.equal(mails.mails.length, 0)
  await mails.up()
  await until(() => mails.mails.length > 0, { what: 'the mail after the server came back', deadline: 60_000 })

  // A second one, whose mail follows: had the first come twice, it would have come before.
  await force('when it is up')
  await master.finished(1)
  await until(() => mails.mails.length > 1, { what: 'the second mail', deadline: 30_000 })
  assert.deepEqual(
    mails.mails.map(({ to, parsed }) => [to, parsed.headers.get('x-boltbot-build')]),
    [
      [['crew@example.org'], '0'],
      [['crew@example.org'], '1'],
    ],
  )
  const ids = mails.mails.map(({ parsed }) => parsed.messageId)
  assert.equal(new Set(ids).size, 2, `two mails with one id: ${ids.join(', ')}`)
  assert.equal(mails.mails.length, 2)
})
