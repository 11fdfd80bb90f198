import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { BuildsetSubmitted, Change } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { configText, PASSWORD } from './rig/config.ts'
import { createMailServer } from './rig/mail-server.ts'
import { reservePort } from './rig/ports.ts'
import { runBoltbot, startBoltbot } from './rig/processes.ts'
import { createRepository, JANE, JOE } from './rig/repository.ts'
import { story } from './rig.ts'

/** A project that needs nothing but Node: it is compiled, and its tests wait for a sign after their first line. */
const PROJECT = {
  'hello.js': 'export const hello = (name) => "Hello, " + name + "."\n',
  'build.js':
    "import { mkdirSync, copyFileSync } from 'node:fs'\nmkdirSync('out', { recursive: true })\ncopyFileSync('hello.js', 'out/hello.js')\nconsole.log('built out/hello.js')\n",
  'test.js': `import { existsSync } from 'node:fs'
import { hello } from './out/hello.js'
console.log('1 test')
while (!existsSync(process.env.GO)) await new Promise((resolve) => setTimeout(resolve, 20))
if (hello('you') !== 'Hello, you.') { console.error('not ok 1: ' + hello('you')); process.exit(1) }
console.log('ok 1')
`,
  'package.json': '{ "type": "module" }\n',
}

story(
  'a pushed commit is polled, waits for a stable tree, is built on a slave, and who broke it gets a mail',
  async (world) => {
    const repository = await createRepository(world.folder, PROJECT)
    const mails = world.use(await createMailServer())
    const port = await reservePort()
    const master = await world.master(
      configText({
        slavePort: port,
        repourl: repository.url,
        treeStableTimer: '1500ms',
        steps: `git({ repourl, mode: 'copy' }), compile({ command: ['node', 'build.js'] }), test({ command: ['node', 'test.js'] })`,
        builderOptions: `env: { GO: ${JSON.stringify(world.file('go'))} },`,
        status: `mailNotifier({ fromaddr: 'ci@example.org', relayhost: '127.0.0.1', smtpPort: ${mails.port}, mode: 'problem', sendToInterestedUsers: true }),`,
      }),
    )
    // The slave as its owner sets it up: by the command line, in a process of its own.
    const made = await runBoltbot(['slave', world.file('bot'), `127.0.0.1:${port}`, 'bot-1', PASSWORD])
    assert.equal(made.code, 0, made.stderr)
    await writeFile(world.file('bot/info/admin'), 'Ann Admin <ann@example.org>\n')
    world.use(startBoltbot({ name: 'bot-1', args: ['start', '--nodaemon', world.file('bot')] }))
    await master.event('slaveConnected')
    const [slave] = await master.call<readonly { name: string; state: string; admin: string | null }[]>('slaves')
    assert.deepEqual(
      [slave?.name, slave?.state, slave?.admin?.trim()],
      ['bot-1', 'idle', 'Ann Admin <ann@example.org>'],
    )
    await master.line(/first poll/)

    const first = await repository.commit({ files: { 'README.md': 'Hello\n' }, who: JOE, comments: 'Say what it is' })
    await master.event('changeAccepted', ({ change }) => change.revision === first)
    const second = await repository.commit({ files: { 'README.md': 'Hello!\n' }, who: JANE, comments: 'Cheer up' })
    await master.event('changeAccepted', ({ change }) => change.revision === second)
    const schedulers = () => master.call<readonly { waiting: string | null; wakeAt: number | null }[]>('schedulers')
    const waiting = async () => (await schedulers()).find((one) => one.waiting?.includes('2 changes wait'))
    assert.ok((await until(waiting, { what: 'the scheduler to wait with both changes' })).wakeAt)

    // Both changes are one build; what it prints is at the master before it ends.
    await until(async () => (await master.log(0, 'test')).includes('1 test'), { what: 'the live output of the tests' })
    assert.equal((await master.build(0)).result, null)
    assert.equal(
      master.events('stepFinished').find(({ name }) => name === 'test'),
      undefined,
    )
    await writeFile(world.file('go'), '')
    const good = await master.finished(0)
    assert.equal(good.result, 'success')
    assert.deepEqual(good.blamelist, ['Joe Bloggs <joe@example.org>', 'Jane Doe <jane@example.org>'])
    assert.equal(good.revision, second)
    const build = await master.build(0)
    assert.deepEqual(
      build.steps.map(({ name, result }) => [name, result]),
      [
        ['git', 'success'],
        ['compile', 'success'],
        ['test', 'success'],
      ],
    )
    assert.equal(build.properties.got_revision?.value, second)
    assert.match(`${await master.log(0, 'compile')}`, /^built out\/hello\.js\n$/)

    const broken = { 'hello.js': 'export const hello = (name) => "Helo, " + name + "."\n' }
    const bad = await repository.commit({ files: broken, who: JANE, comments: 'Save a letter' })
    const failed = await master.finished(1)
    assert.deepEqual([failed.result, failed.previousResult, failed.revision], ['failure', 'success', bad])
    assert.deepEqual(failed.blamelist, ['Jane Doe <jane@example.org>'])

    const mail = await until(() => mails.mails[0], { what: 'the mail', deadline: 20_000 })
    assert.deepEqual(mail.to, ['jane@example.org'])
    assert.equal(mail.from, 'ci@example.org')
    assert.match(mail.parsed.subject ?? '', /full/)
    assert.match(mail.parsed.subject ?? '', /Hello/)
    assert.match(mail.parsed.text ?? '', new RegExp(bad.slice(0, 12)))
    assert.match(mail.parsed.text ?? '', /test/)
    assert.equal(mails.mails.length, 1)

    const { stdout: builds } = await runBoltbot(['builds', '--basedir', master.basedir])
    assert.match(builds, /^full\/1 +failure .*\nfull\/0 +success /)
    const asked = await runBoltbot(['log', 'full/1', 'test', '--basedir', master.basedir])
    assert.match(asked.stdout, /1 test\n/)
    const unnamed = await runBoltbot(['log', 'full/1', '--basedir', master.basedir])
    assert.deepEqual(unnamed, { ...asked, stderr: `Step "test" of full/1 (failure):\n${asked.stderr}` })
    const changes = await master.call<readonly Change[]>('changes')
    assert.deepEqual(changes.map(({ revision }) => revision).reverse(), (await repository.revisions()).slice(1))
    const { warning } = await master.call<BuildsetSubmitted>('force', { builder: 'full', who: 'joe', reason: 'again' })
    assert.equal(warning, null)
    assert.equal((await master.finished(2)).result, 'failure')
  },
)
