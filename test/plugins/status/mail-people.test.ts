import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, defineMaster, type PeopleOptions, slave } from 'boltbot/plugin-sdk'
import { createRig } from 'boltbot/plugin-sdk/testing'
import { anyBranch } from 'boltbot/plugins/schedulers'
import { type MailOptions, mailNotifier } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'

const bot = slave({ name: 'bot' })
const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: ['make'] })]) })

const rigOf = (people: PeopleOptions, mail: Partial<MailOptions> = {}) =>
  createRig({
    config: defineMaster({
      projectName: 'Hello',
      transports: [],
      slaves: [bot],
      builders: [full],
      schedulers: [anyBranch({ name: 'all', builders: [full] })],
      status: [mailNotifier({ fromaddr: 'ci@example.org', relayhost: 'mail.example.org', ...mail })],
      people,
      outbox: { admins: ['root@example.org'] },
    }),
    slaves: { bot: [{ match: 'make', result: 1 }] },
    now: Date.UTC(2026, 0, 7, 12),
  })

test('each who is interested gets one mail, which says why', async () => {
  await using rig = await rigOf(
    {
      mailDomain: 'example.org',
      table: { Jane: { mail: 'jane@example.org' } },
      owners: { 'docs/': ['ann', 'jane'], '*.c': 'bob' },
      sheriff: { rota: ['sue'], start: '2026-01-01', timeZone: 'UTC' },
    },
    { extraRecipients: ['team@example.org', 'ann@example.org'] },
  )
  await rig.commit({ who: 'Jane', files: ['docs/a/b.md', 'README'], branch: 'main' })
  await rig.until.build('full', 'failure')
  await rig.until.mail()
  await rig.advance('1s')
  assert.deepEqual(
    rig.mails.map(({ to, headers }) => [to, headers['x-boltbot-why']]),
    [
      ['jane@example.org', 'a change of yours is in the build; you own docs/'],
      ['ann@example.org', 'you own docs/'],
      ['sue@example.org', 'you are the sheriff of the day'],
      ['team@example.org', 'you are on the list of this notifier'],
    ],
  )
  const [mail] = rig.mails
  assert.deepEqual(mail?.shown.to, ['jane@example.org', 'ann@example.org', 'sue@example.org'])
  assert.match(mail?.text ?? '', /^Also told: ann \(owns docs\/\), jane \(owns docs\/\), sue \(sheriff\)$/m)
  assert.match(mail?.html ?? '', /Also told<\/span>.*sue \(sheriff\)/)
})

test('a directory that is away loses no mail, over a kill of the master too', async () => {
  let isUp = false
  await using rig = await rigOf(
    {
      lookup: async (who) => {
        if (!isUp) throw new Error('ldap is down')
        return `${who}@ldap.example.org`
      },
    },
    { extraRecipients: ['team@example.org'] },
  )
  await rig.commit({ who: 'jane', branch: 'main' })
  await rig.until.build('full', 'failure')
  const team = await rig.until.mail()
  assert.equal(team.to, 'team@example.org')
  assert.match(team.text, /^Not told: {2}jane \(not yet: the lookup of the address failed\)$/m)
  await rig.advance('10m')
  await rig.restart({ after: '1h' })
  await rig.advance('10m')
  assert.equal(rig.mails.length, 1)
  assert.match(rig.log.text(), /person could not be looked up/)
  isUp = true
  await rig.advance('2h')
  assert.deepEqual(
    rig.mails.map(({ to }) => to),
    ['team@example.org', 'jane@ldap.example.org'],
  )
  assert.equal(rig.mails[1]?.headers['x-boltbot-why'], 'a change of yours is in the build')
  assert.equal(rig.mails[1]?.headers['message-id'], rig.mails[0]?.headers['message-id'])
})

test('a directory that stays away becomes a dead letter, of which the admins are told', async () => {
  await using rig = await rigOf({ lookup: () => Promise.reject(new Error('ldap is down')) })
  await rig.commit({ who: 'jane', branch: 'main' })
  await rig.until.build('full', 'failure')
  await rig.restart({ after: '4d' })
  await rig.advance('2h')
  const [letter] = rig.mails
  assert.equal(letter?.to, 'root@example.org')
  assert.match(letter?.text ?? '', /to: +person:jane \(mail\)[\s\S]*could not be looked up: ldap is down/)
})
