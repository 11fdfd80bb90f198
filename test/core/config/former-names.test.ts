import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXPORTS, formerExport, formerKey, nearModule } from '../../../core/config/former-names.ts'
import { createImporter } from '../../../core/config/importer.ts'
import { readConfig } from '../../../core/config/load.ts'
import { createConfigFolder } from '../../rig/config-folder.ts'

async function problemsOf(text: string): Promise<readonly string[]> {
  await using folder = await createConfigFolder()
  using importer = createImporter()
  const { problems } = await readConfig(importer, await folder.write('master.cfg.ts', text))
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

const OLD = `import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { local } from 'boltbot/plugins/slaves/local'
import { irc } from 'boltbot/plugins/status/irc'
import { shellCommand } from 'boltbot/plugins/steps'
const bot = slave({ name: 'bot' })
const full = builder({
  name: 'full', slaves: [bot], factory: buildFactory([shellCommand({ command: 'make' })]),
  slavename: 'bot',
})
export default defineMaster({
  projectName: 'Old', transports: [local()], slaves: [bot], builders: [full],
  slavePortnum: 9989,
  bots: [['bot', 'x']],
  schedulers: [scheduler({ name: 'all', builders: [full], branch: null, builderNames: ['full'] })],
  status: [irc({ host: 'irc.example.org', nick: 'bot', channels: ['#x'], allowForce: true })],
} as never)
`

test('a key of Buildbot is told what to write now, at its place', async () => {
  const problems = await problemsOf(OLD)
  const expected = [
    /^9:3 "slavename" is a key of Buildbot\. Write slaves: \[linux\]/,
    /^13:3 "slavePortnum" is a key of Buildbot\. Write transports: \[stockWorkers\(/,
    /^14:3 "bots" is a key of Buildbot\. Write slaves: \[linux\], where const linux = slave\(/,
    /^15:\d+ "builderNames" is a key of Buildbot\. Write builders: \[full\]/,
    /^16:\d+ "allowForce" is a key of Buildbot\. Who may do what stands in defineMaster: access: /,
  ]
  assert.equal(problems.length, expected.length, problems.join('\n'))
  for (const [i, form] of expected.entries()) assert.match(problems[i]!, form)
})

test('a name of Buildbot that is imported, or a mistyped one, is told what to import', async () => {
  const cases = [
    [
      `import { BuildFactory } from 'boltbot'`,
      /^1:10 .*named 'BuildFactory'\. Write: import { buildFactory } from 'boltbot'\.$/,
    ],
    [
      `import { Nightly } from 'boltbot/plugins/schedulers'`,
      /Write: import { nightly } from 'boltbot\/plugins\/schedulers'\.$/,
    ],
    [
      `import { MailNotifier } from 'boltbot/plugins/status/mail'`,
      /Write: import { mailNotifier } from 'boltbot\/plugins\/status\/mail'\.$/,
    ],
    [
      `import { gitPoler } from 'boltbot/plugins/vc/git'`,
      /Write: import { gitPoller } from 'boltbot\/plugins\/vc\/git'\.$/,
    ],
    [`import { irc } from 'boltbot/plugins/irc'`, /^1:\d+ .*Did you mean 'boltbot\/plugins\/status\/irc'\?$/],
    [`import { x } from 'left-pad'`, /or install its package\.$/],
  ] as const
  for (const [line, form] of cases) {
    const [problem = '', ...more] = await problemsOf(`${line}\nexport default 1\n`)
    assert.match(problem, form)
    assert.deepEqual(more, [])
  }
})

test('whatever it tells to import is there', async () => {
  for (const [name, { from }] of Object.entries(EXPORTS)) {
    const module = (await import(from)) as Record<string, unknown>
    assert.ok(name in module, `${from} exports ${name}`)
  }
})

test('what no place knows by an old name is left to others', () => {
  assert.equal(formerKey('title', ['command', 'workdir']), undefined)
  assert.equal(formerKey('toString', ['transports']), undefined)
  assert.equal(formerExport('somethingQuiteElse', 'boltbot'), undefined)
  assert.equal(nearModule('boltbot/plugins/changes/something-quite-else-again'), undefined)
})
