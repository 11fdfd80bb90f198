import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createImporter } from '../../../core/config/importer.ts'
import { readConfig } from '../../../core/config/load.ts'
import { createConfigFolder, PLUGINS } from '../../rig/config-folder.ts'

/** A config with these lines of schedulers and these steps; its problems, as `line path: message`. The first of them is on line 11. */
async function problemsOf(schedulers: readonly string[], steps = 'step()'): Promise<readonly string[]> {
  await using folder = await createConfigFolder({ 'plugins.ts': PLUGINS })
  const file = await folder.write(
    'master.cfg.ts',
    `import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { anyBranch, dependent, nightly, periodic, scheduler, triggerable } from 'boltbot/plugins/schedulers'
import { trigger } from 'boltbot/plugins/steps'
import { local, mail, step } from './plugins.ts'
const packages = triggerable({ name: 'packages', builders: ['full'] })
const elsewhere = triggerable({ name: 'elsewhere', builders: ['full'] })
const full = builder({ name: 'full', slaves: ['bot'],
  factory: buildFactory([${steps}]) })
const tests = scheduler({ name: 'tests', branch: 'main', builders: [full] })
const list = [
${schedulers.map((one) => `  ${one},`).join('\n')}
]
export default defineMaster({
  projectName: 'Hello', transports: [local()], slaves: [slave({ name: 'bot' })], builders: [full],
  schedulers: [tests, packages, ...list],
})
`,
  )
  using importer = createImporter()
  const { problems } = await readConfig(importer, file)
  return problems.map((one) => `${one.line}:${one.column} ${one.path}: ${one.message}`)
}

const match = (problems: readonly string[], ...patterns: readonly RegExp[]) => {
  assert.equal(problems.length, patterns.length, problems.join('\n'))
  for (const [i, pattern] of patterns.entries()) assert.match(problems[i]!, pattern)
}

test('good schedulers have no problems', async () => {
  const good = [
    `anyBranch({ name: 'a', branches: ['main', /^x/, 'f/*', null], treeStableTimer: '1m', builders: [full] })`,
    `anyBranch({ name: 'all', builders: [full], changeFilter: { repository: 'r' } })`,
    `dependent({ name: 'd', upstream: tests, builders: [full] })`,
    `dependent({ name: 'd2', upstream: 'd', builders: [full] })`,
    `periodic({ name: 'p', periodicBuildTimer: 3600, builders: [full] })`,
    `nightly({ name: 'n', hour: [3, 15], dayOfWeek: 'mon-fri', builders: [full], timeZone: 'Europe/Berlin' })`,
    `nightly({ name: 'n2', cron: '0 0 3 29 2 *', builders: [full], branch: 'main', onlyIfChanged: true, onlyImportant: true })`,
  ]
  assert.deepEqual(await problemsOf(good, `trigger({ schedulerNames: [packages, 'packages'] })`), [])
})

test('ten bad options have ten problems, each with its place', async () => {
  match(
    await problemsOf(
      [
        `anyBranch({ name: 'a1', branches: 5 as never, builders: [full] })`,
        `anyBranch({ name: 'a2', branch: 'main', builders: ['fulll'] } as never)`,
        `dependent({ name: 'd1', upstream: 'test', builders: [full] })`,
        `dependent({ name: 'd2', upstream: mail({ fromaddr: 'x' }) as never, builders: [full] })`,
        `periodic({ name: 'p1', periodicBuildTimer: 0, builders: [full] })`,
        `nightly({ name: 'n1', hour: 24, builders: [full] })`,
        `nightly({ name: 'n2', dayOfMonth: 30, month: 2, builders: [full] })`,
        `nightly({ name: 'n3', cron: '0 3 * *', timeZone: 'UTC', builders: [full] })`,
        `nightly({ name: 'n4', timeZone: 'Mars/Olympus', builders: [full] })`,
        `nightly({ name: 'n5', onlyIfChanged: true, builders: [full] })`,
      ],
      `trigger({ schedulerNames: ['package'] })`,
    ),
    /^8:\d+ builder "full" step 0 "trigger" schedulerNames\[0\]: It names scheduler "package", which is not in schedulers\. Did you mean "packages"\?/,
    /^11:27 schedulers\[2\] "a1" branches: "branches" is 5\. Give a name, a pattern such as/,
    /^12:27 schedulers\[3\] "a2" branch: "branch" is not a key here\. Did you mean "branches"\?/,
    /^12:54 schedulers\[3\] "a2" builders\[0\]: It names builder "fulll"/,
    /^13:27 schedulers\[4\] "d1" upstream: It names scheduler "test", which is not in schedulers\. Did you mean "tests"\?/,
    /^14:27 schedulers\[5\] "d2" upstream: "upstream" is the plugin "mail"\. Give the scheduler it follows, or its name\.$/,
    /^14:27 schedulers\[5\] "d2" upstream: It names plugin "mail", which is not in the config\./,
    /^15:26 schedulers\[6\] "p1" periodicBuildTimer: "periodicBuildTimer" is 0\. Give seconds, .* more than 0\.$/,
    /^16:25 schedulers\[7\] "n1" hour: "hour" is 24\. Give a number from 0 to 23, a list of them/,
    /^17:25 schedulers\[8\] "n2" dayOfMonth: "dayOfMonth" is 30\. That never comes\./,
    /^18:25 schedulers\[9\] "n3" cron: "cron" is "0 3 \* \*"\. A pattern has five parts/,
    /^19:25 schedulers\[10\] "n4" timeZone: "timeZone" is "Mars\/Olympus"\. Give a time zone such as/,
    /^20:11 schedulers\[11\] "n5" branch: "branch" is missing\. Name the branch whose changes count/,
  )
})

test('what does not go together is told', async () => {
  match(
    await problemsOf(
      [
        `nightly({ name: 'n', cron: '@daily', hour: 3, builders: [full] })`,
        `nightly({ name: 'm', cron: 'daily', builders: [full] })`,
        `nightly({ name: 'o', cron: '61 * * * *', builders: [full] })`,
        `periodic({ name: 'p', periodicBuildTimer: '1d', onlyImportant: true, builders: [full] })`,
      ],
      `trigger({ schedulerNames: [elsewhere], alwaysUseLatest: true, sourceStamp: { branch: 'x' } }),
       trigger({ schedulerNames: ['packages'], setProperties: { token: { deep: [{ kind: 'secret', name: 'x' }] } } })`,
    ),
    /^8:\d+ builder "full" step 0 "trigger" schedulerNames\[0\]: It names scheduler "elsewhere", which is not in schedulers\./,
    /^8:\d+ builder "full" step 0 "trigger" alwaysUseLatest: "alwaysUseLatest" is true\. sourceStamp says what is built already\.$/,
    /^9:\d+ builder "full" step 1 "trigger" setProperties\.token: .*secrets may not\.$/,
    /^12:\d+ .*"n" hour: "hour" is 3\. The time is in cron already/,
    /^13:\d+ .*"m" cron: "cron" is "daily"\. A pattern has five parts/,
    /^14:\d+ .*"o" cron: "cron" is "61 .*Invalid value for minute: 61\.$/,
    /^15:\d+ .*"p" onlyImportant: "onlyImportant" is true\. It judges changes: add onlyIfChanged: true/,
  )
})

test('schedulers that follow each other in a circle are one problem, those in a row none', async () => {
  match(
    await problemsOf([
      `dependent({ name: 'a', upstream: 'c', builders: [full] })`,
      `dependent({ name: 'b', upstream: 'a', builders: [full] })`,
      `dependent({ name: 'c', upstream: 'b', builders: [full] })`,
      `dependent({ name: 'd', upstream: 'c', builders: [full] })`,
    ]),
    /^11:26 schedulers\[2\] "a" upstream: It waits for itself: "a" after "c" after "b" after "a"\./,
  )
  match(
    await problemsOf([`dependent({ name: 'self', upstream: 'self', builders: [full] })`]),
    /upstream: It waits for itself: "self" after "self"\./,
  )
})
