import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from 'boltbot/plugin-sdk/testing'
import { marked } from './marked.ts'
import { createRecord, createSlaveRig, nextId } from './rig.ts'

test('a command runs in its working directory, which is made, and its streams stay apart', async () => {
  await using rig = await createSlaveRig()
  const { result, text } = await rig.run({ kind: 'shell', command: 'pwd; echo bad >&2; exit 3', workdir: 'a/b' })
  assert.equal(result.exitCode, 3)
  assert.equal(result.cause, 'exit')
  assert.equal(text('stdout'), `${join(rig.directory, 'a/b')}\n`)
  assert.equal(text('stderr'), 'bad\n')
  assert.match(text('header'), /^\$ pwd; echo bad >&2; exit 3\nin .*full\/a\/b\n/)
  assert.match(text('header'), /exited with code 3 after [\d.]+s\n$/)
})

test('a list of words is run without a shell', async () => {
  await using rig = await createSlaveRig()
  const { text } = await rig.run({ kind: 'shell', command: ['printf', '%s|', '$HOME', 'a b', "it's", '*'] })
  assert.equal(text('stdout'), "$HOME|a b|it's|*|")
  assert.match(text('header'), /^\$ printf '%s\|' '\$HOME' 'a b' 'it'\\''s' '\*'\n/)
})

test('the environment is changed as asked, and secrets are not shown', async () => {
  await using rig = await createSlaveRig()
  const { text } = await rig.run({
    kind: 'shell',
    command: ['sh', '-c', 'env | grep -c ^HOME=; echo "$TOKEN"', "s3cr'et"],
    env: { TOKEN: "s3cr'et", HOME: null },
    secrets: ["s3cr'et"],
  })
  assert.equal(text('stdout'), "0\ns3cr'et\n")
  assert.doesNotMatch(text('header'), /s3cr/)
  assert.match(text('header'), /TOKEN='\*\*\*'\n {2}HOME removed\n/)
})

test('a signal is told by its name', async () => {
  await using rig = await createSlaveRig()
  const { result, text } = await rig.run({ kind: 'shell', command: 'kill -9 $$' })
  assert.deepEqual([result.exitCode, result.signal, result.cause], [null, 'SIGKILL', 'exit'])
  assert.match(text('header'), /ended by SIGKILL after/)
})

test('input is given, and closed at once when there is none', async () => {
  await using rig = await createSlaveRig()
  assert.equal((await rig.run({ kind: 'shell', command: ['cat'], stdin: 'hello' })).text('stdout'), 'hello')
  assert.equal((await rig.run({ kind: 'shell', command: ['cat'] })).text('stdout'), '')
})

test('a program that does not exist is an error that names it', async () => {
  await using rig = await createSlaveRig()
  const { result, text } = await rig.run({ kind: 'shell', command: ['no-such-program', 'x'] })
  assert.deepEqual([result.exitCode, result.cause], [null, 'error'])
  assert.equal(result.error, 'Could not start "no-such-program": there is no such program.')
  assert.match(text('header'), /there is no such program/)
})

test('output is at the master while the command runs, within 250 ms', async () => {
  await using rig = await createSlaveRig()
  const record = createRecord()
  const id = nextId()
  const script = `process.stdout.write(String(Date.now())); setTimeout(() => {}, 60_000)`
  const running = rig.connection.run(
    id,
    'full',
    { kind: 'shell', command: [process.execPath, '-e', script] },
    record.io,
  )
  const piece = await until(() => record.pieces.find((one) => one.stream === 'stdout'), { what: 'the first output' })
  const delay = piece.at - Number(Buffer.from(piece.data).toString())
  assert.ok(delay <= 250, `the output took ${delay} ms`)
  rig.connection.interrupt(id, 'enough')
  assert.equal((await running).cause, 'interrupted')
})

test('a line of 5 MB arrives whole', async () => {
  await using rig = await createSlaveRig()
  const script = `process.stdout.write('x'.repeat(5_000_000) + '\\n')`
  const { text } = await rig.run({ kind: 'shell', command: [process.execPath, '-e', script] })
  assert.equal(text('stdout').length, 5_000_001)
  assert.ok(/^x+\n$/.test(text('stdout')))
})

test('unwanted streams are left out', async () => {
  await using rig = await createSlaveRig()
  const { text } = await rig.run({ kind: 'shell', command: 'echo out; echo err >&2', wantStdout: false })
  assert.equal(text('stdout'), '')
  assert.equal(text('stderr'), 'err\n')
})

test('a silent command is ended after its timeout, a talking one is not', async () => {
  await using rig = await createSlaveRig()
  const silent = await rig.run({ kind: 'shell', command: ['sleep', '60'], timeout: 200 })
  assert.deepEqual([silent.result.cause, silent.result.signal], ['timeout', 'SIGTERM'])
  assert.match(silent.text('header'), /stopped: no output for 0.2 s\nended by SIGTERM/)
  const talking = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done'
  const { result } = await rig.run({ kind: 'shell', command: talking, timeout: 800 })
  assert.equal(result.cause, 'exit')
})

test('a command is ended when it takes longer than its maxTime', async () => {
  await using rig = await createSlaveRig()
  const command = 'while :; do echo x; sleep 0.05; done'
  const { result, text } = await rig.run({ kind: 'shell', command, maxTime: 300, timeout: 60_000 })
  assert.equal(result.cause, 'maxTime')
  assert.match(text('header'), /stopped: not done after 0.3 s/)
})

test('an interrupt ends the whole tree, also what made a session of its own', async () => {
  await using rig = await createSlaveRig()
  const record = createRecord()
  const id = nextId()
  // A child, one that left the session and its parent, and one that ignores SIGTERM.
  const command =
    "sleep 61 & setsid sh -c 'sleep 62 & wait' & (setsid sleep 63 &) ; (trap '' TERM; sleep 64 & wait; sleep 65) & echo up; wait"
  const running = rig.connection.run(id, 'full', { kind: 'shell', command, sigtermTime: 300 }, record.io)
  await until(() => record.text('stdout').includes('up'), { what: 'the command to be up' })
  await until(() => marked(rig.basedir).length >= 4, { what: 'four sleepers', seen: () => String(marked(rig.basedir)) })
  rig.connection.interrupt(id, 'not wanted')
  const result = await until(running, { what: 'the command to end', deadline: 5000 })
  assert.equal(result.cause, 'interrupted')
  assert.match(record.text('header'), /stopped: not wanted/)
  assert.deepEqual(marked(rig.basedir), [])
})

test('a process left in the background does not hold the command up for long', async () => {
  await using rig = await createSlaveRig()
  const { result, text } = await rig.run({ kind: 'shell', command: 'sleep 20 & echo done' })
  assert.deepEqual([result.exitCode, text('stdout')], [0, 'done\n'])
  assert.ok(result.elapsed < 10_000)
  for (const pid of marked(rig.basedir)) process.kill(pid, 'SIGKILL')
})

test('a working directory outside the builder, or one that cannot be made, is refused in words', async () => {
  await using rig = await createSlaveRig()
  const outside = await rig.run({ kind: 'shell', command: 'true', workdir: '../other' })
  assert.equal(outside.result.error, 'The path "../other" leaves the builder\'s directory.')
  writeFileSync(join(rig.directory, 'file'), '')
  const blocked = await rig.run({ kind: 'shell', command: 'true', workdir: 'file/sub' })
  assert.equal(blocked.result.cause, 'error')
  assert.match(blocked.result.error ?? '', /^The working directory ".*file\/sub" cannot be made: /)
  assert.equal((await rig.run({ kind: 'shell', command: 'true' })).result.exitCode, 0)
})

test('a command that this slave does not know fails alone', async () => {
  await using rig = await createSlaveRig()
  const { result } = await rig.run({ kind: 'teleport' } as never)
  assert.equal(result.error, 'This slave does not know the command "teleport": it is too old.')
  const bad = await rig.run({ kind: 'shell', command: [] })
  assert.match(bad.result.error ?? '', /^The command "shell" needs /)
  assert.equal((await rig.run({ kind: 'shell', command: 'true' })).result.exitCode, 0)
})

test('what a command kept is gone once it is forgotten', async () => {
  await using rig = await createSlaveRig()
  await rig.run({ kind: 'shell', command: [process.execPath, '-e', `process.stdout.write('x'.repeat(3_000_000))`] })
  await until(() => !existsSync(join(rig.basedir, 'spool', '1.1.0.0')), { what: 'an empty spool' })
})

test('with usepty a command has a terminal, and its tree is ended all the same', async () => {
  await using rig = await createSlaveRig({ usepty: true })
  const { result, text } = await rig.run({ kind: 'shell', command: 'test -t 1 && echo yes; kill -9 $$' })
  assert.equal(text('stdout'), 'yes\r\n', text())
  assert.deepEqual([result.exitCode, result.signal], [null, 'SIGKILL'])
  const code = await rig.run({ kind: 'shell', command: ['sh', '-c', 'exit 4'] })
  assert.equal(code.result.exitCode, 4)
  const piped = await rig.run({ kind: 'shell', command: ['cat'], stdin: 'hello' })
  assert.equal(piped.text('stdout'), 'hello')
  const slow = await rig.run({ kind: 'shell', command: 'setsid sleep 69 & sleep 70', timeout: 300, sigtermTime: 300 })
  assert.equal(slow.result.cause, 'timeout')
  assert.deepEqual(marked(rig.basedir), [])
  const big = await rig.run({ kind: 'shell', command: ['head', '-c', '3000000', '/dev/zero'] })
  assert.equal(big.text('stdout').length, 3_000_000)
  const missing = await rig.run({ kind: 'shell', command: ['no-such-program'] })
  assert.notEqual(missing.result.exitCode, 0)
})
