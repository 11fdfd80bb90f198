import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, secret, slave } from 'boltbot/plugin-sdk'
import type { Config } from '../../../core/config/model.ts'
import { secretsUsed } from '../../../core/config/secrets-used.ts'
import { sh } from '../../rig/parts.ts'

const lamp = definePlugin({ name: 'lamp', kind: 'status', apply(_host, _options: { readonly auth: object }) {} })

test('every secret of a config is found, once, wherever it stands', () => {
  const { options } = slave({ name: 'bot', password: secret('bot') })
  const spec = builder({
    name: 'full',
    slaves: ['bot'],
    factory: buildFactory([sh({ command: 'make' })]),
    env: { TOKEN: secret('token'), AGAIN: secret('bot') },
  })
  const config = {
    slaves: new Map([['bot', { password: options.password }]]),
    builders: new Map([['full', { env: spec.options.env, steps: spec.options.factory.steps }]]),
    plugins: [{ options: lamp({ auth: { keys: [{ value: secret('lamp') }], pattern: /x/ } }).options }],
  } as unknown as Config // only what secretsUsed looks at
  assert.deepEqual(
    secretsUsed(config)
      .map((ref) => ref.name)
      .sort(),
    ['bot', 'lamp', 'token'],
  )
})
