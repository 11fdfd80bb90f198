import assert from 'node:assert/strict'
import { test } from 'node:test'
import { definePlugin, type Host, hasCode, limitHost, NEEDS, type Need, secret } from 'boltbot/plugin-sdk'
import { createTestHost } from 'boltbot/plugin-sdk/testing'
import { createPluginHostRig, spec } from '../../rig/plugin-host-rig.ts'

const change = { who: 'jane', files: ['a.c'], comments: 'x' }

async function started(definition: object, options: object = {}) {
  const rig = createPluginHostRig()
  let host!: Host
  const plugin = spec('lamp', { ...definition, apply: (given: Host) => void (host = given) }, options)
  await rig.host.start([plugin])
  return { rig, host }
}

test('a plugin that says nothing may look, tap and log, and is told what to add for anything else', async () => {
  const { rig, host } = await started({ needs: undefined })
  assert.equal(host.query.project().name, 'Hello')
  assert.equal(host.http.url(), 'http://localhost/')
  for (const [need, members] of Object.entries(NEEDS)) {
    for (const member of members) {
      const use = () => (member === 'http' ? host.http.route : host[member])
      assert.throws(
        use,
        (error) => hasCode(error, 'BOLT_HOST_NEEDS') && error.hint === `Add to its definition: needs: ['${need}'],`,
      )
    }
  }
  await rig.host.stop()
})

test('a plugin is given what it needs, and the hint for more keeps what is there', async () => {
  const { rig, host } = await started({ needs: ['changes', 'state'] })
  await host.submitChange(change)
  await host.state.set('x', 1)
  assert.deepEqual(rig.calls, ['lamp submits x', 'lamp sets x'])
  assert.throws(() => host.force, {
    message: 'Plugin "lamp" uses host.force, which its definition does not say it needs.',
    hint: "Add to its definition: needs: ['changes', 'state', 'force'],",
  })
  await rig.host.stop()
})

test('"secrets" gives those the options name, also new options, and "secrets:NAME" one by name', async () => {
  const host = { secrets: { resolve: (value: unknown) => JSON.stringify(value) } } as unknown as Host // nothing else is looked at
  const given = (needs: readonly Need[], options: object) =>
    limitHost(host, { plugin: 'mail', needs, options: () => options }).secrets
  const deep = { relays: [{ password: secret('smtp') }] }
  assert.match(given(['secrets'], deep).resolve(secret('smtp')), /smtp/)
  assert.match(given(['secrets:smtp'], {}).resolve(secret('smtp')), /smtp/)
  assert.equal(given(['secrets'], {}).resolve('plain'), '"plain"')
  for (const needs of [['secrets'], ['secrets:other'], ['secrets', 'secrets:other']] as const) {
    assert.throws(() => given(needs, {}).resolve(secret('smtp')), {
      code: 'BOLT_HOST_NEEDS',
      message: 'Plugin "mail" uses the secret "smtp", which its definition does not say it needs.',
      hint: `Add to its definition: needs: [${[...needs, 'secrets:smtp'].map((need) => `'${need}'`).join(', ')}],`,
    })
  }
  assert.throws(() => given(['state'], deep), { hint: "Add to its definition: needs: ['state', 'secrets']," })
})

test('a use without a need in apply refuses the start, and in a tap it is a failure with the hint', async () => {
  const rig = createPluginHostRig()
  const early = spec('early', {
    needs: [],
    apply: (host: Host) => host.registerPoller({ name: 'p', interval: 1, poll: async () => {} }),
  })
  await assert.rejects(rig.host.start([early]), /Plugin "early" uses host\.registerPoller/)
  await rig.host.stop()

  const other = createPluginHostRig()
  const late = spec('late', {
    needs: [],
    apply: (host: Host) => host.tap('buildFinished', async () => void (await host.force({} as never))),
  })
  await other.host.start([late])
  other.commit('buildFinished')
  await other.clock.settle()
  assert.equal(other.host.status()[0]!.errors, 1)
  assert.deepEqual(other.host.status()[0]!.needs, [])
  await other.host.stop()
})

test('the test host gives a plugin no more than the master would', async () => {
  const plugin = (needs: readonly Need[]) =>
    definePlugin({ name: 'lamp', kind: 'service', needs, apply() {}, start: (host) => host.state.set('lit', true) })()
  await using poor = createTestHost()
  poor.apply(plugin([]))
  await assert.rejects(poor.start(), { code: 'BOLT_HOST_NEEDS' })
  await using rich = createTestHost()
  await rich.run(plugin(['state']))
  assert.equal(rich.state.get('lit'), true)
})
