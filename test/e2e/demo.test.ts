import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe } from 'node:test'
import { simpleParser } from 'mailparser'
import { occupyPort } from './rig/ports.ts'
import { runBoltbot, startBoltbot } from './rig/processes.ts'
import { story } from './rig.ts'

/** What must be told, in this order. */
const WALK = [
  /change .*Joe Steady.*Say hello louder/,
  /scheduler .*tree not stable until/,
  /request .*waits/,
  /build .*hello #0 on bot/,
  /step .*hello #0 .*compile/,
  /result .*hello #0 success/,
  /change .*Jane Hasty.*Save a letter/,
  /step .*hello #1 .*test failed/,
  /result .*hello #1 failure.*blamed: Jane Hasty/,
  /To: jane@example\.org/,
  /Subject: \[first failure\] Hello: hello \(main\), broken since #1/,
  /but said: Helo, world!/,
  /Where everything is/,
]

describe('the demo', { concurrency: true }, () => {
  story(
    'the demo tells the walk in plain text, delivers the mail into a maildir, and leaves nothing running',
    async (world) => {
      const folder = world.file('demo')
      const { code, stdout, stderr } = await runBoltbot(['demo', folder, '--once'])
      assert.equal(code, 0, `${stdout}\n${stderr}`)
      assert.equal(stderr, '')
      assert.equal(stdout.includes('\x1b'), false)
      WALK.reduce((from, pattern) => {
        const found = pattern.exec(stdout.slice(from))
        assert.ok(found, `${pattern} is not told where it should be:\n${stdout}`)
        return from + found.index
      }, 0)

      const delivered = join(folder, 'Maildir', 'new')
      const [mail, ...more] = readdirSync(delivered)
      assert.deepEqual(more, [])
      const parsed = await simpleParser(readFileSync(join(delivered, mail!)))
      assert.match(parsed.text ?? '', /not ok 1 - it greets/)
      for (const kind of ['master', 'slave']) {
        const { code: notRunning } = await runBoltbot(['status', join(folder, kind)])
        assert.equal(notRunning, 1)
        assert.ok(readFileSync(join(folder, kind, `${kind}.log`), 'utf8').length > 0)
      }
    },
  )

  story('the demo in a temporary folder stays up until Ctrl-C, and takes the folder away', async (world) => {
    const env = { TMPDIR: world.folder }
    const demo = world.use(startBoltbot({ name: 'demo', args: ['demo'], env }))
    await demo.line(/stay up until Ctrl-C/, 60_000)
    const [folder] = readdirSync(world.folder).filter((name) => name.startsWith('boltbot-demo-'))
    const builds = await runBoltbot(['builds', '--basedir', world.file(join(folder!, 'master'))])
    assert.match(builds.stdout, /hello\/1 +failure/)
    await demo.kill('SIGINT')
    assert.equal((await demo.exited).code, 0)
    assert.deepEqual(
      readdirSync(world.folder).filter((name) => name.startsWith('boltbot-demo-')),
      [],
    )
  })

  story('the demo says in one sentence what it cannot do', async (world) => {
    const refused = async (args: readonly string[], sentence: RegExp, env: Readonly<Record<string, string>> = {}) => {
      const { code, stdout, stderr } = await runBoltbot(['demo', '--once', ...args], { env })
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, sentence)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    }
    await using taken = await occupyPort()
    await refused(
      ['--port', `${taken.port}`],
      new RegExp(`Port ${taken.port} cannot be used \\(another program has it\\)`),
    )
    await refused([world.folder.replace(/[^/]+$/, '')], /is not empty/)
    await refused([world.file('no/such/parent')], /cannot be made/)
    await mkdir(world.file('bin'))
    await symlink(process.execPath, world.file('bin/node'))
    await refused([], /there is no git on this machine/, { PATH: world.file('bin') })
  })
})
