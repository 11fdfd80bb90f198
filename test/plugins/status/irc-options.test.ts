import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin } from 'boltbot/plugin-sdk'
import { irc } from '../../../plugins/status/irc/index.ts'
import { ircSchema } from '../../../plugins/status/irc/options.ts'
import { chatConfig } from '../../core/chat/rig.ts'
import { checked } from '../../rig/checked.ts'

function problemsOf(options: object): readonly string[] {
  const result = ircSchema['~standard'].validate(options)
  assert.ok(!(result instanceof Promise))
  return (result.issues ?? []).map(({ path, message }) => `${path?.join('.')}: ${message}`)
}
const good = { host: 'irc.example.org', nick: 'hellobot', channels: ['#hello'] }

test('options that cannot work are problems at their place', () => {
  const cases: readonly (readonly [object, RegExp | null])[] = [
    [good, null],
    [{ networks: [good, { ...good, name: 'other' }] }, null],
    [{}, /^host: Give host, or "networks"\./],
    [{ ...good, networks: [good] }, /^host: It belongs into each of the networks\./],
    [{ networks: [good, good] }, /^networks\.1\.name: Two networks are named "irc\.example\.org"/],
    [{ ...good, tls: false }, /^tls: Passwords and commands would go over the network unencrypted/],
    [{ ...good, host: '127.0.0.1', tls: false }, null],
    [{ ...good, sasl: 'external' }, /^sasl: It needs the certificate of the bot/],
    [{ ...good, sasl: { account: 'x' } }, /^sasl: Give \{ account, password \}, or 'external'\./],
    [{ ...good, nick: '1bot' }, /^nick: Give a nickname/],
    [{ ...good, channels: [] }, /^channels: Give at least one channel\./],
    [{ ...good, channels: ['hello'] }, /^channels\.0: /],
    [{ ...good, channels: ['#a', '#b', { name: '#A', notify: [] }] }, /^channels\.2: The channel stands there twice/],
    [{ ...good, tlsCa: '/etc/ssl/ca.pem' }, /^tlsCa: Give the PEM text of a certificate/],
    [{ ...good, certificate: { cert: 'none', key: 'x' } }, /^certificate\.cert: Give the PEM text/],
    [{ ...good, notify: ['failre'] }, /^notify\.0: Give some of started, finished/],
    [{ ...good, lineRate: { burst: 4, every: 'soon' } }, /^lineRate\.every: Give a duration/],
    [{ ...good, chanels: ['#x'] }, /nrecognized key/],
  ]
  for (const [options, problem] of cases) {
    const problems = problemsOf(options)
    if (problem === null) assert.deepEqual(problems, [], JSON.stringify(options))
    else
      assert.ok(
        problems.some((one) => problem.test(one)),
        `${JSON.stringify(options)}: ${problems.join('\n')}`,
      )
  }
})

test('what a channel says goes before its network, that before the whole bot', () => {
  const result = ircSchema['~standard'].validate({
    networks: [{ ...good, notice: true, channels: ['#a', { name: '#b', notify: ['failure'], builders: ['full'] }] }],
    notify: ['started'],
    categories: ['active'],
  })
  assert.ok(!(result instanceof Promise) && !result.issues)
  const [network] = result.value.networks
  assert.deepEqual(network!.channels, [
    { name: '#a', notify: ['started'], notice: true, colors: false, links: true, categories: ['active'] },
    {
      name: '#b',
      notify: ['failure'],
      notice: true,
      colors: false,
      links: true,
      builders: ['full'],
      categories: ['active'],
    },
  ])
  assert.deepEqual(
    [network!.port, network!.tls, network!.name, network!.everyMs],
    [6697, true, 'irc.example.org', 2000],
  )
})

test('two plugins on a network of one name are a problem that names both: they would share its settings', () => {
  const config = (name: string) =>
    checked({
      ...chatConfig(),
      transports: [definePlugin({ name: 'slaves', kind: 'slave', apply() {} })()],
      status: [irc({ ...good, name: 'libera' }), irc({ id: 'other', networks: [good, { ...good, name }] })],
    })
  config('oftc')
  assert.throws(
    () => config('libera'),
    /status\[1\] "other": It has the IRC network "libera", as has "status\/irc" at .*Put the channels of both into one plugin, or give one of the networks another name\./,
  )
})

test('a builder of a filter that there is none of is a problem, also of a channel', () => {
  const config = (builders: readonly string[]) =>
    checked({
      ...chatConfig(),
      transports: [definePlugin({ name: 'slaves', kind: 'slave', apply() {} })()],
      status: [irc({ ...good, channels: ['#a', { name: '#b', builders }] })],
    })
  config(['full'])
  assert.throws(
    () => config(['ful']),
    /channels\[1\]\.builders\[0\].*"ful", which is not in builders\. Did you mean "full"\?/,
  )
})
