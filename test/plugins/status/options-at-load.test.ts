import assert from 'node:assert/strict'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkInFreshProcess } from '../../../core/config/evaluate.ts'
import { createConfigFolder } from '../../rig/config-folder.ts'

/** What is wrong with a config that has these status targets, as `line:column path: message`, by the command that people use. */
async function problemsOf(status: string): Promise<readonly string[]> {
  await using folder = await createConfigFolder({ 'secrets/there': 'x' })
  const file = await folder.write(
    'master.cfg.ts',
    `import { builder, buildFactory, defineMaster, secret, slave } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { irc } from 'boltbot/plugins/status/irc'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { compile } from 'boltbot/plugins/steps'
const bot = slave({ name: 'bot', password: 'x' })
const full = builder({ name: 'full', slaves: [bot], category: 'main', factory: buildFactory([compile()]) })
export default defineMaster({ projectName: 'Hello', transports: [agents({ port: 9990 })], slaves: [bot], builders: [full],
schedulers: [scheduler({ name: 'tests', branch: 'main', builders: [full] })], status: [
${status}
] })
`,
  )
  await chmod(join(folder.path, 'secrets'), 0o700)
  await chmod(join(folder.path, 'secrets', 'there'), 0o600)
  const { problems } = await checkInFreshProcess(file)
  return problems.map(({ line, column, path, message }) => `${line - 10}:${column} ${path}: ${message}`)
}

function matches(problems: readonly string[], patterns: readonly RegExp[]): void {
  assert.equal(problems.length, patterns.length, problems.join('\n'))
  for (const [i, pattern] of patterns.entries()) assert.match(problems[i]!, pattern)
}

test('filters that name what there is none of, and addresses that are none, are problems at their place', async () => {
  const problems = await problemsOf(`mailNotifier({
  fromaddr: 'ci at example.org',
  extraRecipients: ['team@example.org', 'a@example.org, b@example.org'], tlsCa: 'ca.pem',
}),
mailNotifier({
  id: 'other',
  fromaddr: 'ci@example.org',
  builders: ['ful'],
  schedulers: ['test'],
  categories: ['mian'],
  branches: [7],
}),
irc({ host: 'irc.example.org', nick: 'bot', channels: [
  { name: '#a', builders: [full], categories: ['main'] },
  { name: '#b', builders: ['fulll'], categories: ['other'] },
] }),`)
  matches(problems, [
    /^2:3 status\[0\] "status\/mail" fromaddr: "fromaddr" is "ci at example\.org"\. Give one address/,
    /^3:41 status\[0\] "status\/mail" extraRecipients\[1\]: .*Give plain addresses/,
    /^3:\d+ status\[0\] "status\/mail" tlsCa: .*Give the PEM text of a certificate/,
    /^8:14 status\[1\] "other" builders\[0\]: It names builder "ful", which is not in builders\. Did you mean "full"\?/,
    /^9:16 status\[1\] "other" schedulers\[0\]: It names scheduler "test", which is not in schedulers\. Did you mean "tests"\?/,
    /^10:16 status\[1\] "other" categories\[0\]: It names category "mian", which no builder has\. Did you mean "main"\?/,
    /^11:14 status\[1\] "other" branches\[0\]: /,
    /^15:28 status\[2\] "status\/irc" channels\[1\]\.builders\[0\]: It names builder "fulll"/,
    /^15:51 status\[2\] "status\/irc" channels\[1\]\.categories\[0\]: It names category "other", .* Known: "main"\.$/,
  ])
})

test('secrets that are not there are problems at their place, a regular expression that is none as well', async () => {
  const problems = await problemsOf(`mailNotifier({
  fromaddr: 'ci@example.org', relayhost: 'mail.example.org', smtpUser: 'ci',
  smtpPassword: secret('smtp'),
}),
irc({ host: 'irc.example.org', nick: 'bot', channels: ['#a'], password: secret('there'),
  nickserv: { password: secret('nickserv') } }),`)
  matches(problems, [
    /^3:24 secret "smtp": The secret "smtp" is not there\. Write it into ".*secrets\/smtp"/,
    /^6:32 secret "nickserv": The secret "nickserv" is not there\./,
  ])
  for (const lookup of [
    '(who) => (/(/.test(who) ? null : who)',
    "((known) => (who) => known.exec(who)?.[0] ?? null)(new RegExp('('))",
  ])
    matches(await problemsOf(`mailNotifier({ fromaddr: 'ci@example.org',\n  lookup: ${lookup} }),`), [
      /^2:\d+ .*[Ii]nvalid regular expression/,
    ])
})
