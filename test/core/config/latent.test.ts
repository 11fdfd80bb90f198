import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfig } from '../../../core/config/describe.ts'
import { createImporter } from '../../../core/config/importer.ts'
import { readConfig } from '../../../core/config/load.ts'
import { createConfigFolder, GOOD, PLUGINS } from '../../rig/config-folder.ts'

const ENGINE = `${PLUGINS}
export const engine = definePlugin({ name: 'engine', kind: 'slave', hasEngine: true, apply() {} })
`

async function load(slave: string, transports = 'local(), engine()') {
  await using folder = await createConfigFolder({
    'plugins.ts': ENGINE,
    'master.cfg.ts': GOOD.replace('import { local,', 'import { engine, local,')
      .replace(`slave({ name: 'bot' })`, slave)
      .replace('local()', transports),
  })
  const { config, problems } = await readConfig(createImporter(), `${folder.path}/master.cfg.ts`)
  return {
    latent: config?.slaves.get('bot')?.latent,
    spec: config?.slaves.get('bot'),
    words: config && describeConfig(config).join('\n'),
    problems: problems.map((one) => one.message),
  }
}

test('a latent slave names its engine by object or id, and has times of its own', async () => {
  const byId = await load(`slave({ name: 'bot', latent: { engine: 'engine' } })`)
  assert.deepEqual(byId.latent, { engine: 'engine', buildWaitTimeoutMs: 600_000, maxLifetimeMs: null, settings: {} })
  assert.equal(byId.spec?.missingTimeoutMs, 1_200_000)
  assert.match(byId.words ?? '', /^Slave "bot" builds "full", started by "engine" when it is needed\.$/m)
  const all = `{ engine: engine(), buildWaitTimeout: '1m', maxLifetime: '1d', settings: { size: 2 } }`
  const byObject = await load(`slave({ name: 'bot', latent: ${all} })`)
  assert.deepEqual(byObject.latent, {
    engine: 'engine',
    buildWaitTimeoutMs: 60_000,
    maxLifetimeMs: 86_400_000,
    settings: { size: 2 },
  })
})

test('what cannot work is told', async () => {
  for (const [slave, wrong] of [
    [
      `latent: { engine: 'engin' }`,
      /No plugin "engin" with an engine for latent slaves is in transports\. Did you mean "engine"\?/,
    ],
    [`latent: { engine: 'local' }`, /No plugin "local" with an engine/],
    [`latent: { engine: 'engine' }, password: 'x'`, /It is latent: each instance gets a password of its own/],
    [`latent: { engine: 5 }`, /"engine" is 5\. Give a plugin, or the id of one\./],
    [`latent: {}`, /"engine" is missing\. Give a plugin/],
    [
      `latent: { engine: 'engine', buildWaitTimeout: 'soon' }`,
      /"buildWaitTimeout" is "soon"\. Give a number of seconds/,
    ],
    [`latent: true`, /It is true\. Give an object with these keys: "engine"/],
    [`missingTimeout: 'never'`, /"missingTimeout" is "never"/],
    [`notifyOnMissing: 'ann@'`, /"notifyOnMissing" is "ann@"\. Give a mail address or a name that people has/],
    [`notifyOnMissing: ['a\\nb']`, /"notifyOnMissing" is a list of 1\. Give a mail address or a name that people has/],
  ] as const) {
    const { problems } = await load(`slave({ name: 'bot', ${slave} } as never)`)
    assert.equal(problems.length, 1, `${slave}: ${problems.join('\n')}`)
    assert.match(problems[0]!, wrong)
  }
  const none = await load(`slave({ name: 'bot', latent: { engine: 'engine' } })`, 'local()')
  assert.match(none.problems[0] ?? '', /There is none\. Add one to transports, for instance processes\(\)\./)
})

test('a transport that only has an engine starts no slave without a password', async () => {
  const { problems } = await load(`slave({ name: 'bot' })`, 'engine()')
  assert.match(problems[0] ?? '', /It has no password, so it cannot log in/)
})
