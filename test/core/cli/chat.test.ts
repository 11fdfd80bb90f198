import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createCliRig, LONELY } from '../../rig/cli.ts'

const BIN = fileURLToPath(new URL('../../../core/cli/boltbot.js', import.meta.url))

test('lines that are piped into a talk are all answered; what is set in it holds in the next one', async () => {
  await using rig = await createCliRig(['ci'])
  await rig.write('own.ts', LONELY)
  for (const args of [
    ['master', 'ci', '--config', 'own.ts'],
    ['start', 'ci'],
  ])
    assert.equal((await rig.run(...args)).code, 0)
  const talk = async (...lines: readonly string[]) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', BIN, 'chat', '--basedir', 'ci'], {
      cwd: rig.path,
    })
    child.stdin.end(lines.map((line) => `${line}\n`).join(''))
    const [[code], out, err] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    assert.deepEqual([code, err], [0, ''])
    return out.split('\n').slice(0, -1)
  }
  assert.deepEqual(await talk('status', '', 'stauts', 'notify on failure', 'bye', 'status'), [
    'Nothing runs, and the one builder is not red.',
    '"stauts" is not a command. Did you mean "status"? Say "commands" for all there are.',
    'Told here: failure.',
  ])
  assert.deepEqual(await talk('notify'), ['Told here: failure.'])
  assert.match(
    (await rig.run('chat', 'notify on', '--basedir', 'ci')).out,
    /nobody listens behind this one answer\.\n$/,
  )
})
