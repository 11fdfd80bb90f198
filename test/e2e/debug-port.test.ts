import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import type { AuditView } from 'boltbot/plugin-sdk'
import { until } from 'boltbot/plugin-sdk/testing'
import { boltbot, type Ran } from '../peers/rig/run-program.ts'
import { configText } from './rig/config.ts'
import { reservePort } from './rig/ports.ts'
import { story } from './rig.ts'

story('a master elsewhere is told what to do through its debug port', async (world) => {
  const [port, slavePort] = [await reservePort(), await reservePort()]
  const config = configText({
    ...{ slavePort, steps: `shellCommand({ command: 'echo hello' })` },
    imports: `import { debugPort } from 'boltbot/plugins/services/debug-port'\nimport { secret } from 'boltbot'`,
    masterOptions: `plugins: [debugPort({ debugPassword: secret('debug'), port: ${port} })],`,
  })
  const master = await world.master(config, {
    prepare: (basedir) => writeFile(`${basedir}/secrets/debug`, 'eiv7Po\n', { mode: 0o600 }),
  })
  await writeFile(world.file('debug'), 'eiv7Po\n', { mode: 0o600 })
  const ask = (args: readonly string[], password = ['--passwd-file', world.file('debug')]): Promise<Ran> =>
    boltbot(['--master', `127.0.0.1:${port}`, ...password, ...args], { cwd: world.folder, deadline: 30_000 })

  const forced = await ask(['force', 'full', '--reason', 'from afar', '--prop', 'colour=red'])
  assert.deepEqual([forced.code, forced.stderr], [0, ''])
  assert.match(forced.stdout, /^Request \d+ of "full" is queued\.\nMind: no slave of "full" is attached/)
  const unknown = await ask(['force', 'ful'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /There is no builder "ful"\. Did you mean "full"\?/)

  const change = await ask([
    'change',
    '--who',
    'jane',
    '--file',
    'a.c',
    '--file',
    'b.c',
    '--comments',
    'both',
    '--branch',
    'main',
  ])
  assert.deepEqual([change.code, change.stdout], [0, 'Change 1.\n'])
  const { files } = (await master.event('changeAccepted')).change
  assert.deepEqual(files, ['a.c', 'b.c'])

  await master.writeConfig(config.replace(`projectName: 'Hello'`, `projectName: 'Hello again'`))
  const reloaded = await ask(['reload'])
  assert.deepEqual([reloaded.code, reloaded.stderr], [0, ''])
  assert.match(reloaded.stdout, /^The new config is in force:\n {2}projectName changed\n$/)
  await master.writeConfig(config.replace('builders: [full]', 'builders: [fool]'))
  const broken = await ask(['reload'])
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /fool/)
  await master.event('configRejected')

  const poked = await ask(['poke-irc'])
  assert.deepEqual([poked.code, poked.stdout], [0, 'I am in no place.\n'])

  const audits = await master.call<readonly AuditView[]>('audits')
  const seen = audits.map(({ action, who, via }) => `${action} ${who} ${via}`)
  for (const action of ['reconfig', 'force'])
    assert.ok(seen.includes(`${action} debug plugin:services/debug-port`), seen.join('\n'))

  const wrong = await ask(['reload'], ['--passwd', 'wrong'])
  assert.match(wrong.stderr, /does not let "debug" in/)
  const other = await ask(['builders'])
  assert.deepEqual(
    [other.code, other.stderr],
    [
      2,
      'boltbot: The option "--master" cannot be used: it must be left out: "builders" asks a master of this machine.\n',
    ],
  )
  assert.doesNotMatch(master.output(), /eiv7Po/)
})

story('a password on the command line is not in the list of processes once the command has begun', async (world) => {
  // Nobody answers there: the command waits.
  const { createServer } = await import('node:net')
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const { spawn } = await import('node:child_process')
  const connected = new Promise<void>((resolve) => silent.once('connection', () => resolve()))
  const child = spawn(process.execPath, [
    ...['core/cli/boltbot.js', '--master', `127.0.0.1:${port}`, '--passwd', 'eiv7Po', 'reload'],
  ])
  world.use({
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      silent.close()
    },
  })
  await until(connected, { what: 'the command to connect', deadline: 20_000 })
  const seen = await readFile(`/proc/${child.pid}/cmdline`, 'utf8')
  assert.doesNotMatch(seen, /eiv7Po/)
})
