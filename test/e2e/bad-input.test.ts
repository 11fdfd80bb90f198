import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe } from 'node:test'
import { WebSocket } from 'ws'
import { SUBPROTOCOL } from '../../wire/agent/accept.ts'
import { configText } from './rig/config.ts'
import { occupyPort, reservePort } from './rig/ports.ts'
import { runBoltbot } from './rig/processes.ts'
import { story } from './rig.ts'

const STEPS = `shellCommand({ command: ['node', '-e', 'console.log(1)'] })`

/** A start that must fail: exit code 1, one sentence on the terminal, no stack trace. */
function assertRefused(ended: { readonly code: number | null; readonly stderr: string }, sentence: RegExp): void {
  assert.equal(ended.code, 1, ended.stderr)
  const said = ended.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  assert.equal(said.length, 1, `more than a sentence:\n${ended.stderr}`)
  assert.match(said[0]!, sentence)
  assert.doesNotMatch(ended.stderr, /^\s+at /m)
}

describe('bad input, as a new user would try it', { concurrency: 2 }, () => {
  story('a slave with a wrong password or an unknown name is told so, and does not harm the master', async (world) => {
    const port = await reservePort()
    const master = await world.master(configText({ slavePort: port, slaves: ['bot-1', 'bot-2'], steps: STEPS }))
    const wrong = await world.slave('bot-1', port, 'open barley')
    const unknown = await world.slave('bot-x', port)
    // A stranger is not told which names there are; the master's owner is.
    for (const slave of [wrong, unknown]) await slave.line(/does not know this name, or the password is wrong/)
    await master.line(/The password of slave ."bot-1." is wrong/)
    await master.line(/The slave ."bot-x." may not log in/)
    assert.equal(wrong.output().includes('open barley'), false)
    assert.equal(master.output().includes('open barley'), false)
    await world.slave('bot-2', port)
    await master.event('slaveConnected', ({ slave }) => slave === 'bot-2')
    assert.deepEqual(
      master.events('slaveConnected').map(({ slave }) => slave),
      ['bot-2'],
    )
  })

  story('garbage on the slave port is thrown out, and slaves still come in', async (world) => {
    const port = await reservePort()
    const master = await world.master(configText({ slavePort: port, steps: STEPS }))
    // Not HTTP at all; HTTP that wants no WebSocket; a WebSocket that talks garbage; one that announces a gigabyte.
    for (const bytes of [randomBytes(4096), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]) {
      const socket = connect(port, '127.0.0.1')
      const over = closed(socket)
      socket.end(bytes)
      socket.resume()
      await over
    }
    const talking = new WebSocket(`ws://127.0.0.1:${port}`, SUBPROTOCOL)
    const toldOff = closed(talking)
    await once(talking, 'open')
    talking.send(randomBytes(1000))
    await toldOff

    const huge = connect(port, '127.0.0.1')
    const over = closed(huge)
    const headers = [
      `Host: 127.0.0.1:${port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ]
    huge.write(`GET / HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
    const [answer] = await once(huge, 'data')
    assert.match(`${answer}`, /^HTTP\/1\.1 101 /)
    huge.resume()
    huge.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]))
    await over

    await world.slave('bot-1', port)
    await master.event('slaveConnected')
    assert.deepEqual(master.events('slaveLost'), [])
    assert.equal(master.isGone(), false)
  })

  story('a port that is taken is one sentence', async (world) => {
    await using taken = await occupyPort()
    const basedir = await makeBasedir(world.file('master'), configText({ slavePort: taken.port, steps: STEPS }))
    assertRefused(await runBoltbot(['start', '--nodaemon', basedir]), new RegExp(`\\b${taken.port}\\b`))
    assertRefused(await runBoltbot(['start', basedir]), new RegExp(`\\b${taken.port}\\b`))
  })

  story('a base directory that cannot be used is one sentence', async (world) => {
    assertRefused(await runBoltbot(['start', world.file('nowhere')]), /does not exist/)
    await mkdir(world.file('empty'))
    assertRefused(await runBoltbot(['start', world.file('empty')]), /neither the base directory of a master/)
    const basedir = await makeBasedir(world.file('master'), configText({ slavePort: 0, steps: STEPS }))
    if (process.getuid?.() !== 0) {
      await chmod(basedir, 0o000)
      assertRefused(await runBoltbot(['start', basedir]), /permission is denied/)
      await chmod(basedir, 0o700)
      return
    }
    // Nobody is kept out of anything when root: the command runs as somebody else.
    await chmod(world.folder, 0o755)
    await chmod(basedir, 0o700)
    assertRefused(await runBoltbot(['start', basedir], { uid: 65_534, cwd: '/' }), /permission is denied/)
    await chown(basedir, 65_534, 65_534)
    await chmod(basedir, 0o500)
    assertRefused(await runBoltbot(['start', basedir], { uid: 65_534, cwd: '/' }), /permission is denied/)
  })

  story('a database of a newer program is one sentence, and is left as it is', async (world) => {
    const port = await reservePort()
    const master = await world.master(configText({ slavePort: port, steps: STEPS }))
    await master.kill('SIGTERM')
    const file = join(master.basedir, 'state.sqlite')
    const version = setSchema(file, 99)
    assertRefused(await runBoltbot(['start', '--nodaemon', master.basedir]), /schema version "99"/)
    setSchema(file, version)
    await world.startMaster(master.basedir)
  })

  story('all ten mistakes of a config are told, each with its place', async (world) => {
    const basedir = await makeBasedir(world.file('master'), TEN_MISTAKES)
    const { code, stderr } = await runBoltbot(['checkconfig', basedir])
    assert.equal(code, 1)
    assert.match(stderr, /^10 problems in /m)
    assert.equal(stderr.match(/^\S*master\.cfg\.ts:\d+:\d+/gm)?.length, 10, stderr)
  })
})

/** However it came to that: being reset is an answer too. */
function closed(connection: Socket | WebSocket): Promise<void> {
  connection.on('error', () => {}) // 'close' follows
  return new Promise((resolve) => void connection.once('close', () => resolve()))
}

async function makeBasedir(path: string, config: string): Promise<string> {
  const made = await runBoltbot(['master', path])
  assert.equal(made.code, 0, made.stderr)
  await writeFile(join(path, 'master.cfg.ts'), config.replace(/^.*recorder\.ts'$/m, '').replace('recorder(), ', ''))
  return path
}

/** Gives what it was. */
function setSchema(file: string, version: number): number {
  const database = new DatabaseSync(file)
  const before = database.prepare(`select value from meta where key = 'schema'`).get()
  database.prepare(`update meta set value = ? where key = 'schema'`).run(String(version))
  database.close()
  return Number(before?.value)
}

const TEN_MISTAKES = `
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { scheduler } from 'boltbot/plugins/schedulers'
import { agents } from 'boltbot/plugins/slaves/websocket'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { compile, shellCommand } from 'boltbot/plugins/steps'
import { gitPoller } from 'boltbot/plugins/vc/git'

const bot = slave({ name: 'bot-1', password: 'x', maxBuilds: 0 } as never)
const full = builder({
  name: 'full', slaves: ['bot-2' as never],
  factory: buildFactory([shellCommand({} as never), compile({ timeout: 'soon' }), compile({ comand: 'make' } as never)]),
})
export default defineMaster({
  projectName: 'Hello',
  transports: [agents({ port: 'tcp:somewhere' })],
  slaves: [bot], builders: [full],
  sources: [gitPoller({ repourl: 'hello.git', branches: [] })],
  schedulers: [scheduler({ name: 'tests', builders: [full] }), scheduler({ name: 'more', branch: 'main', builders: ['fulll'] })],
  status: [mailNotifier({ fromaddr: 'ci@example.org', mode: 'sometimes' } as never)],
} as never)
`
