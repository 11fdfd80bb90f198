import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createImporter } from '../../../core/config/importer.ts'
import { readConfig } from '../../../core/config/load.ts'
import { show } from '../../../core/config/rules.ts'
import { createConfigFolder, GOOD, PLUGINS } from '../../rig/config-folder.ts'

/** Problems of a config, each as `line:column path: message`. */
async function problemsOf(text: string, name = 'master.cfg.ts'): Promise<readonly string[]> {
  await using folder = await createConfigFolder({ 'plugins.ts': PLUGINS })
  const file = await folder.write(name, text)
  using importer = createImporter()
  const { problems } = await readConfig(importer, file)
  return problems.map((one) => {
    const other = one.file === file ? '' : `${one.file.slice(folder.path.length + 1)}:`
    return `${other}${one.line}:${one.column} ${one.path}: ${one.message}`
  })
}

/** A config with something in the place of the good one's text; what is wrong with it. */
const instead = (from: string, to: string) => {
  assert.ok(GOOD.includes(from), `the good config has "${from}"`)
  return problemsOf(GOOD.replace(from, to))
}

const match = (problems: readonly string[], ...patterns: readonly RegExp[]) => {
  assert.equal(problems.length, patterns.length, problems.join('\n'))
  for (const [i, pattern] of patterns.entries()) assert.match(problems[i]!, pattern)
}

test('a good config has no problems', async () => {
  assert.deepEqual(await problemsOf(GOOD), [])
})

test('a config with ten mistakes has all ten reported, each with its place', async () => {
  const problems = await problemsOf(
    `import { builder, buildFactory, defineMaster, masterLock, slave } from 'boltbot'
import { mail, network, step, tree } from './plugins.ts'

const bot = slave({ name: 'bot', password: 'x', maxBuild: 2 } as never)
const again = slave({ name: 'bot', password: 'x' })
const full = builder({
  name: 'full',
  slaves: ['bott' as never],
  locks: [masterLock('db'), masterLock('db', { maxCount: 2 })],
  factory: buildFactory([step({ command: 5 as never })]),
})
export default defineMaster({
  projectName: '',
  buildLease: '5 minutes',
  properties: { when: new Date() as never },
  transports: [network()],
  slaves: [bot, again],
  builders: [full],
  schedulers: [tree({ name: 'tests', builders: ['ful'] })],
  status: [mail({ fromaddr: 'ci@example.org', relay: { hots: 'x' } as never })],
})
`,
  )
  match(
    problems,
    /^4:49 slave "bot" maxBuild: "maxBuild" is not a key here\. Did you mean "maxBuilds"\?/,
    /^5:23 slave "bot" name: Two slaves are named "bot"\. The first is at master\.cfg\.ts:4:21\. Rename one\.$/,
    /^8:12 builder "full" slaves\[0\]: It names slave "bott", which is not in slaves\. Did you mean "bot"\? Known: "bot"\.$/,
    /^9:46 master lock "db": It has maxCount 2, but at master\.cfg\.ts:9:22 a lock of the same name has maxCount 1\./,
    /^10:33 builder "full" step 0 "step" command: "command" is 5\. Invalid input: expected string/,
    /^13:3 config projectName: "projectName" is ""\. Give text/,
    /^14:3 config buildLease: "buildLease" is "5 minutes"\. Give a number of seconds, or text such as '90s'/,
    /^15:3 config properties: .*JSON values only .*: "when" is a Date\.$/,
    /^19:49 schedulers\[0\] "tests" builders\[0\]: It names builder "ful", .*Did you mean "full"\?/,
    /^20:47 status\[0\] "mail" relay\.host: "host" is missing/,
    /^20:56 status\[0\] "mail" relay\.hots: "hots" is not a key here\. Did you mean "host"\? Known: "host"\.$/,
  )
})

test('a thing made in a helper file is reported there', async () => {
  await using folder = await createConfigFolder({
    'plugins.ts': PLUGINS,
    'slaves.ts': `import { slave } from 'boltbot'\n\nexport const bot = slave({ name: 'bot', maxBuilds: 0 })\n`,
    'master.cfg.ts': GOOD.replace(`const bot = slave({ name: 'bot' })`, `import { bot } from './slaves.ts'`),
  })
  using importer = createImporter()
  const { problems } = await readConfig(importer, `${folder.path}/master.cfg.ts`)
  assert.deepEqual(
    problems.map(({ file, line, column }) => [file, line, column]),
    [[`${folder.path}/slaves.ts`, 3, 41]],
  )
})

test('a value given by name is found where the name is declared', async () => {
  const text = GOOD.replace('slave({ name:', 'slave(options)\nconst unused = ({ name:').replace(
    'const bot',
    `const options = {\n  name: 'bot',\n  maxBuilds: -1,\n}\nconst bot`,
  )
  match(await problemsOf(text), /^7:3 slave "bot" maxBuilds: "maxBuilds" is -1\. Give a whole number, 1 or more\.$/)
})

test('a plain JavaScript config may have any shape and still gets every problem', async () => {
  const problems = await problemsOf(
    `import { builder, buildFactory, defineMaster, slave } from 'boltbot'
const a = builder({ name: 'a' })
const b = builder({ name: 'b', slaves: [null, 5], factory: buildFactory() })
const c = slave()
export default defineMaster({ projectName: 5, slaves: [c, 'bot'], builders: [a, b, null], transports: {} })
`,
    'master.cfg.js',
  )
  match(
    problems,
    /^2:19 builder "a" slaves: "slaves" is missing/,
    /^2:19 builder "a" factory: "factory" is missing/,
    /^3:41 builder "b" slaves\[0\]: It is null, not a slave/,
    /^3:47 builder "b" slaves\[1\]: It is 5, not a slave/,
    /^3:60 builder "b" factory: It is missing\. Give a list of steps/,
    /^4:11 slaves\[0\] name: "name" is missing/,
    /^5:31 config projectName: "projectName" is 5/,
    /^5:59 config slaves\[1\]: It is "bot", not a slave/,
    /^5:84 config builders\[2\]: It is null, not a builder/,
    /^5:91 config transports: "transports" is {}\. Give a list/,
  )
})

test('an export that is no config is one problem', async () => {
  match(
    await problemsOf('export default { slaves: [] }'),
    /^1:1 default export: It is {"slaves":\[\]}\. End the file with/,
  )
  match(await problemsOf('export const x = 1'), /^1:1 default export: It is missing/)
})

test('a config without slaves, builders or transports says so', async () => {
  const text = `import { defineMaster } from 'boltbot'\nexport default defineMaster({ projectName: 'x', slaves: [], builders: [], transports: [] })`
  match(
    await problemsOf(text),
    /slaves: There are no slaves/,
    /builders: There are no builders/,
    /There are no transports/,
  )
})

test('two builders whose folders on the slave are the same are told apart', async () => {
  const two = `builders: [full, builder({ name: 'a b', slaves: [bot], factory: buildFactory([]) }), builder({ name: 'a/b', slaves: [bot], factory: buildFactory([]) })]`
  match(
    await instead('builders: [full],\n  sources', `${two},\n  sources`),
    /builder "a\/b" name: .*"a_b", is also that of builder "a b"/,
  )
})

test('a slave or builder that is in its list twice is one problem', async () => {
  match(
    await problemsOf(`import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { local } from './plugins.ts'
const one = slave({ name: 'one' })
const a = builder({ name: 'a', slaves: [one], factory: buildFactory([]) })
export default defineMaster({ projectName: 'x', slaves: [one, one], builders: [a, a], transports: [local()] })
`),
    /^5:63 config slaves\[1\]: The slave "one" stands here a second time\. Remove one\.$/,
    /^5:83 config builders\[1\]: The builder "a" stands here a second time\. Remove one\.$/,
  )
})

test('a plugin in the wrong list is sent to the right one', async () => {
  match(
    await instead(`status: [mail({`, `status: [tree({ name: 'late', builders: [] }) as never, mail({`),
    /config status\[0\]: "late" is a scheduler, not a status target\. Move it to schedulers\.$/,
  )
})

test('a plugin that was not called is told to be', async () => {
  match(
    await instead('sources: [poller()]', 'sources: [poller as never]'),
    /sources\[0\]: It is a function, not a plugin\. Call it/,
  )
})

test('an asynchronous schema is refused', async () => {
  const text = GOOD.replace('poller, step', 'poller, slow, step').replace('sources:', 'plugins: [slow()],\n  sources:')
  match(await problemsOf(text), /plugins\[0\] "slow": Its schema is asynchronous/)
})

test('two plugins of one id and two schedulers of one name are reported', async () => {
  match(
    await instead('schedulers: [tests],', `schedulers: [tests, tree({ name: 'tests', builders: ['full'] })],`),
    /schedulers\[1\] "tests" name: Two schedulers are named "tests"\. The first is at master\.cfg\.ts:7:20/,
  )
  match(
    await instead(
      `status: [mail({ fromaddr: 'ci@example.org' })]`,
      `status: [mail({ fromaddr: 'a' }), mail({ fromaddr: 'b' })]`,
    ),
    /status\[1\] "mail" id: Two plugins are named "mail"\. .* Give one of them another id\.$/,
  )
})

test('an upstream scheduler that is not there is reported', async () => {
  match(
    await instead(
      'schedulers: [tests],',
      `schedulers: [tests, tree({ name: 'late', builders: [full], upstream: 'test' })],`,
    ),
    /upstream: It names scheduler "test", which is not in schedulers\. Did you mean "tests"\?/,
  )
})

test('the value of a password is never shown', async () => {
  const problems = await instead(`fromaddr: 'ci@example.org'`, `fromaddr: 'x', password: 'hunter2'`)
  match(problems, /"password" is not right/)
  assert.doesNotMatch(problems.join(), /hunter2/)
})

test('a password inside of what is shown is not: in an object, nor in an address', () => {
  assert.equal(show({ user: 'jane', password: 'hunter2' }), '{"user":"jane","password":"…"}')
  assert.equal(show('ftp://jane:hunter2@example.org/x@y'), '"ftp://jane:…@example.org/x@y"')
})

test('a slave without password is fine only when the master starts slaves itself', async () => {
  const text = GOOD.replaceAll('local', 'network')
  match(await problemsOf(text), /slave "bot" password: It has no password, so it cannot log in over "network"/)
})

test('locks taken crosswise by builders and steps are found', async () => {
  const problems =
    await problemsOf(`import { builder, buildFactory, defineMaster, masterLock, slave, slaveLock } from 'boltbot'
import { local, step } from './plugins.ts'
const db = masterLock('db')
const disk = masterLock('disk')
const cpu = slaveLock('cpu')
const a = builder({ name: 'a', slaves: ['one'], locks: [db], factory: buildFactory([step({ locks: [disk.access('exclusive')] })]) })
const b = builder({ name: 'b', slaves: ['one'], locks: [disk], factory: buildFactory([step({ locks: [db.access('exclusive')] })]) })
const c = builder({ name: 'c', slaves: ['one'], locks: [cpu], factory: buildFactory([step({ locks: [cpu.access('counting')] })]) })
export default defineMaster({ projectName: 'x', slaves: [slave({ name: 'one' })], builders: [a, b, c], transports: [local()] })
`)
  match(
    problems,
    /^6:92 builder "a" step 0 "step" locks: These locks are taken crosswise .*"a" hold "db" while a step asks for "disk"; builds of "b" hold "disk" while a step asks for "db"/,
    /^8:93 builder "c" step 0 "step" locks: The step asks for the lock "cpu@one", which its own build holds already/,
  )
})

test('slave locks on different slaves do not cross', async () => {
  const problems = await problemsOf(`import { builder, buildFactory, defineMaster, slave, slaveLock } from 'boltbot'
import { local, step } from './plugins.ts'
const cpu = slaveLock('cpu')
const disk = slaveLock('disk')
const a = builder({ name: 'a', slaves: ['one'], locks: [cpu], factory: buildFactory([step({ locks: [disk.access('exclusive')] })]) })
const b = builder({ name: 'b', slaves: ['two'], locks: [disk], factory: buildFactory([step({ locks: [cpu.access('exclusive')] })]) })
export default defineMaster({ projectName: 'x', slaves: [slave({ name: 'one' }), slave({ name: 'two' })], builders: [a, b], transports: [local()] })
`)
  assert.deepEqual(problems, [])
})

test('rules of access that can let nobody in, or anybody by a nickname, are problems', async () => {
  const with_ = (access: string) => instead("projectName: 'Hello',", `projectName: 'Hello', access: ${access},`)
  assert.deepEqual(await with_(`{ force: ['anyone', 'account:jane', 'host:*@*.example.org', 'op:#x', 'via:irc'] }`), [])
  match(await with_(`{ forse: ['anyone'] }`), /"forse" is not a key here\. Did you mean "force"\?/)
  match(await with_(`{ force: 'anyone' }`), /"force" is "anyone"\. Give a list of rules/)
  match(await with_(`{ force: ['jane'] }`), /It is "jane"\. Give 'role:committer'/)
  match(
    await with_(`{ stop: ['host:jane@*'] }`),
    /It is "host:jane@\*"\. Give a mask that names at least a part of the host/,
  )
  match(await with_(`{ stop: ['role:comitter'] }`), /Nobody in people\.table has the role "comitter"/)
})

test('people that cannot be found or be on duty are problems, each with its place', async () => {
  const with_ = (people: string) => instead("projectName: 'Hello',", `projectName: 'Hello', people: ${people},`)
  assert.deepEqual(await with_(`'example.org'`), [])
  assert.deepEqual(await with_(`async (who) => null`), [])
  assert.deepEqual(
    await with_(`{ owners: { 'docs/**': 'ann', '*.c': ['bob'] }, lookup: () => null, cacheFor: '1h',
      sheriff: { rota: ['ann'], start: '2026-01-05', period: '7d', at: '09:30', timeZone: 'Europe/Berlin' } }`),
    [],
  )
  match(await with_(`'jane@example.org'`), /people: It is "jane@example.org"\. Give a domain such as 'example.org'/)
  match(
    await with_(`{ table: { jane: { mail: 'jane' } } }`),
    /"mail" is "jane"\. Give one mail address .*or null for none/,
  )
  match(await with_(`{ lookup: 'ldap' }`), /"lookup" is "ldap"\. Give a function/)
  match(await with_(`{ owners: { '/docs': 'ann' } }`), /"\/docs" fits no file\. Give paths as changes name them/)
  match(await with_(`{ owners: { 'docs/': [] } }`), /It is an empty list\. Give a person, or a list of people/)
  const sheriff = (fields: string) => with_(`{ sheriff: { rota: ['ann'], start: '2026-01-05', ${fields} } }`)
  match(await sheriff(`start: '5.1.2026'`), /"start" is "5\.1\.2026"\. Give a day such as '2026-01-05'/)
  match(await sheriff(`period: '12h'`), /"period" is "12h"\. Give whole days: '1d', '7d'/)
  match(await sheriff(`at: '9'`), /"at" is "9"\. Give a time of day such as '09:00'/)
  match(await sheriff(`timeZone: 'Berlin'`), /"timeZone" is "Berlin"\. Give a time zone such as 'Europe\/Berlin'/)
  match(
    await with_(`{ sheriff: { rota: [], start: '2026-01-05' } }`),
    /"rota" is an empty list\. Give a list of people/,
  )
})

test('a plugin that was written for another version of the interface is refused by name and reason', async () => {
  const made = (api: string) => `definePlugin({ name: 'old lamp', kind: 'status', api: ${api}, apply() {} })()`
  const with_ = (api: string) =>
    problemsOf(
      GOOD.replace('import { builder', "import { definePlugin } from 'boltbot/plugin-sdk'\nimport { builder").replace(
        'status: [',
        `status: [${made(api)}, `,
      ),
    )
  assert.deepEqual(await with_('1'), [])
  match(
    await with_('99'),
    /"old lamp".*version 99 of the plugin interface; this Boltbot has version 1\. Install a newer Boltbot/,
  )
  match(await with_('0'), /version 0 .*Install a newer plugin/)
})

test('the address of a store is a PostgreSQL one, names a database and holds no password; a password in it is not shown', async () => {
  const store = (value: string) => instead("projectName: 'Hello'", `projectName: 'Hello', store: ${value} as never`)
  assert.deepEqual(await store(`{ postgres: 'postgres://ci@db.example.org/ci', password: 'x' }`), [])
  assert.deepEqual(await store(`{ postgres: 'postgresql:///ci?host=/run/postgresql' }`), [])
  const wrong = async (value: string, pattern: RegExp) => match(await store(value), pattern)
  await wrong(`{}`, /"postgres" is missing/)
  await wrong(`'postgres://ci:hunter2@db/ci'`, /store: It is text\. Give an object: \{ postgres: 'postgres:/)
  await wrong(`{ postgres: 5 }`, /store\.postgres: It is 5\. Give the address of a database: 'postgres:/)
  await wrong(`{ postgres: 'db.example.org' }`, /It is "db.example.org"\. Give the address/)
  await wrong(`{ postgres: 'mysql://db/ci' }`, /"mysql:" is no PostgreSQL/)
  await wrong(`{ postgres: 'postgres://db' }`, /names no database/)
  for (const address of [
    'postgres://ci:hunter2@db/ci',
    'postgres://db/ci?password=hunter2',
    'postgres://ci:hunter2@:x/ci',
  ]) {
    const problems = await store(`{ postgres: '${address}' }`)
    assert.equal(problems.length, 1)
    assert.doesNotMatch(problems.join('\n'), /hunter2/)
  }
})

test('needs that no host gives are told with what was meant', async () => {
  const config = (needs: string) => `
import { definePlugin } from 'boltbot'
const lamp = definePlugin({ name: 'lamp', kind: 'service', needs: ${needs} as never, apply() {} })
${GOOD.replace('export default defineMaster({', 'export default defineMaster({ plugins: [lamp()],')}`
  assert.deepEqual(await problemsOf(config("['state', 'secrets:smtp']")), [])
  match(await problemsOf(config("['stat']")), /It needs "stat", which no host gives\. Did you mean "state"\?/)
  match(
    await problemsOf(config("['everything']")),
    /no host gives\. Use some of changes, .*, slaves, or secrets:NAME\./,
  )
  match(await problemsOf(config("'state'")), /Its needs are "state"\. Give a list: needs: \['state'\]\./)
  match(await problemsOf(config("['http']")), /and the config has no web server\./)
})

test('what cannot run in a worker is told before it is loaded there', async () => {
  const config = (options: string, definition = '') => `
import { definePlugin } from 'boltbot'
export const lamp = definePlugin({ name: 'lamp', kind: 'service', ${definition} apply(_host, _options: { a?: unknown }) {} })
${GOOD.replace('export default defineMaster({', `export default defineMaster({ plugins: [lamp(${options})],`)}`
  assert.deepEqual(await problemsOf(config("{ isolation: 'worker', a: [1, new Date(), new Map()] }")), [])
  assert.deepEqual(await problemsOf(config('{ isolation: { memoryMb: 64 }, a: new Uint8Array(3) }')), [])
  assert.deepEqual(await problemsOf(config('{ a: () => 1 }')), [])
  match(
    await problemsOf(config("{ isolation: 'thread' as never }")),
    /isolation: It is "thread"\. Give 'none', 'worker', or/,
  )
  match(await problemsOf(config('{ isolation: { memoryMb: 1 } }')), /isolation: .* with 32 at least/)
  const kept = /plugins\[0\] "lamp" a\.b\[1\]: It cannot be handed to a worker, which takes plain data\./
  match(await problemsOf(config("{ isolation: 'worker', a: { b: [1, () => 1] } }")), kept)
  match(await problemsOf(config("{ isolation: 'worker', a: { b: [1, new URL('http://x')] } }")), kept)
  match(
    await problemsOf(config("{ isolation: 'worker' }", "needs: ['schedulers'],")),
    /isolation: It needs "schedulers", and there is no host\.registerScheduler in a worker\./,
  )
  match(await problemsOf(config('', "isolation: 'worker', needs: ['slaves'],")), /It needs "slaves"/)
})
