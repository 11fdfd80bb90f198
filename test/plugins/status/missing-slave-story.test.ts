import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, slave } from 'boltbot/plugin-sdk'
import { missingSlave } from 'boltbot/plugins/status/missing-slave'
import { sh } from '../../rig/parts.ts'
import { createRig, type Rig, type RigOptions } from '../../rig/rig.ts'

const bots = ['bot-1', 'bot-2'].map((name) =>
  slave({ name, password: 'x', missingTimeout: '1h', notifyOnMissing: ['ann@example.org', 'joe'] }),
)
const full = builder({ name: 'full', slaves: ['bot-1', 'bot-2'], factory: buildFactory([sh({ command: 'make' })]) })

test('mails about missing slaves go from the loss of the link to the carrier, once, over a kill of the master', async () => {
  const mails: string[] = []
  const carrier = definePlugin({
    name: 'carrier',
    kind: 'service',
    needs: ['carriers'],
    apply(host) {
      host.registerCarrier({
        scheme: 'mail',
        addressOf: async (who) => `${who}@example.org`,
        async deliver({ subject, address }) {
          mails.push(`${subject} → ${address}`)
          return { status: 'delivered' }
        },
      })
    },
  })
  const options: RigOptions = {
    slaves: bots,
    builders: [full],
    status: [missingSlave()],
    plugins: [carrier()],
  }
  const wait = async (rig: Rig, time: string) => {
    await rig.settle()
    await rig.clock.advance(time)
    await rig.settle()
  }
  const first = await createRig(options)
  const lost = [await first.slave('bot-1'), await first.slave('bot-2')]
  await wait(first, '5m')
  for (const bot of lost) bot.drop('the switch is off')
  await wait(first, '61m')
  assert.deepEqual(mails, [], 'missing, and not told yet')
  await using next = await first.restart()
  await wait(next, '3m')
  await wait(next, '1m')
  const missing = ['ann', 'joe'].map((who) => `[Rig] 2 slaves are missing: bot-1, bot-2 → ${who}@example.org`)
  assert.deepEqual(mails.toSorted(), missing)
  await next.slave('bot-1')
  await wait(next, '6m')
  await wait(next, '1m')
  const back = ['ann', 'joe'].map((who) => `[Rig] slave bot-1 is back → ${who}@example.org`)
  assert.deepEqual(mails.slice(2).toSorted(), back)
})
