import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builder, buildFactory, slave } from 'boltbot'
import { type Command, type CommandResult, defineStep, type Step } from 'boltbot/plugin-sdk'
import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { shellCommand } from 'boltbot/plugins/steps'
import { git } from 'boltbot/plugins/vc/git'
import type { RigOptions } from '../../rig/rig.ts'
import { type LiveMaster, startLiveMaster } from './live-master.ts'
import { absent, startWorker, type Worker, type WorkerOptions } from './worker.ts'

/** One protocol of stock workers: how the master listens for it, and how a worker is told to speak it. */
export interface Wire {
  readonly name: string
  transports(port: number, listening: (port: number) => void): RigOptions['transports']
  readonly options: readonly string[]
}

const skip = absent('buildbot-worker')

interface World {
  readonly live: LiveMaster
  readonly port: number
  readonly worker: Worker
}

/** A master with one builder, `full`, and one worker that is attached. */
async function world(
  context: TestContext,
  wire: Wire,
  steps: readonly Step[],
  given: { readonly worker?: WorkerOptions; readonly more?: Partial<RigOptions> } = {},
): Promise<World> {
  let port = 0
  const options = { ...config(wire, steps, 0, (bound) => void (port = bound)), ...given.more }
  const live = await startLiveMaster(options)
  const worker = startWorker(port, { options: wire.options, ...given.worker })
  context.after(async () => {
    await worker[Symbol.asyncDispose]()
    await live[Symbol.asyncDispose]()
  })
  await live.event('slaveConnected')
  return { live, port, worker }
}

function config(wire: Wire, steps: readonly Step[], port = 0, listening = (_: number) => {}): RigOptions {
  const bot = slave({ name: 'bot', password: 'pass1' })
  return {
    transports: wire.transports(port, listening) ?? [],
    slaves: [bot],
    builders: [builder({ name: 'full', slaves: [bot], factory: buildFactory([...steps]) })],
  }
}

const sh = (script: string, options: object = {}) => shellCommand({ command: ['sh', '-c', script], ...options })

interface Done {
  readonly results: CommandResult[]
  readonly received: Buffer[]
}

/** A step that has the worker do some commands, and keeps what came of them. */
function doing(commands: readonly Command[], done: Done, file?: Buffer): Step {
  return defineStep({
    name: 'files',
    async run(context) {
      for (const command of commands)
        done.results.push(
          await context.run(command, {
            receive: async (_, data) => void done.received.push(Buffer.from(data)),
            provide: async (offset, length) => file!.subarray(offset, offset + length),
          }),
        )
      return { result: 'success' }
    },
  })()
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

export function workerStories(wire: Wire): void {
  const story = (name: string, body: (context: TestContext) => Promise<void>) =>
    test(`${wire.name}: ${name}`, { skip, timeout: 120_000 }, body)

  story('shell steps have their words, environment, output and exit codes', async (context) => {
    const { live } = await world(context, wire, [
      shellCommand({ command: ['printf', '%s|', 'a b', "c'd", '$HOME', 'ünï'] }),
      shellCommand({ command: 'echo "in a shell: $((1+1))"; echo oops >&2' }),
      sh('test -z "$SECRET_OF_WORKER" && echo "$SET"', { env: { SET: 'yes', SECRET_OF_WORKER: null } }),
      sh('printf "\\377\\376 gr\\303\\274n\\n"'),
      sh('exit 7', { flunkOnFailure: false }),
      sh('kill -TERM $$', { flunkOnFailure: false }),
      sh('cat; pwd', { workdir: 'other/place' }),
    ])
    const finished = await live.build('full')
    assert.equal(finished.result, 'success')
    const text = (step: number, stream: 'stdout' | 'stderr' | 'header' = 'stdout') =>
      live.text(finished.build, step, stream)
    assert.equal(await text(0), "a b|c'd|$HOME|ünï|\n")
    assert.equal(await text(1), 'in a shell: 2\n')
    assert.equal(await text(1, 'stderr'), 'oops\n')
    assert.equal(await text(2), 'yes\n')
    assert.equal(await text(3), '\ufffd\ufffd grün\n')
    assert.match(await text(6), /\/full\/other\/place\n$/)
    const { steps } = (await live.master.query.build(finished.build))!
    assert.deepEqual(
      steps.map((step) => step.result),
      ['success', 'success', 'success', 'success', 'failure', 'failure', 'success'],
    )
    assert.match(steps[5]!.text, /SIGTERM/)
    const all = await Promise.all(steps.map((_, step) => live.text(finished.build, step, 'all')))
    assert.doesNotMatch(all.join(''), /do not show/, 'the environment of the worker stays its own')
  })

  story('ten megabytes of output arrive whole', async (context) => {
    const { live } = await world(context, wire, [
      sh(`awk 'BEGIN { for (i = 0; i < 125000; i++) printf "%010d ${'x'.repeat(68)}\\n", i }'`),
    ])
    const finished = await live.build('full', 60_000)
    const lines = (await live.text(finished.build, 0)).split('\n')
    assert.equal(lines.length, 125_001)
    assert.ok(lines.slice(0, -1).every((line, number) => Number(line.slice(0, 10)) === number && line.length === 79))
  })

  story('files are made, looked at, copied, found and removed; missing ones are no failure', async (context) => {
    const done: Done = { results: [], received: [] }
    const commands: Command[] = [
      { kind: 'mkdir', paths: ['src/deep', 'other'] },
      { kind: 'stat', path: 'src' },
      { kind: 'stat', path: 'missing/file' },
      { kind: 'cpdir', from: 'src', to: 'other' },
      { kind: 'glob', pattern: '*/*' },
      { kind: 'rmfile', paths: ['missing'] },
      { kind: 'rmdir', paths: ['src', 'other', 'missing'] },
      { kind: 'glob', pattern: '*' },
      { kind: 'rmdir', paths: ['../elsewhere'] },
      { kind: 'cpdir', from: 'missing', to: 'there' },
    ]
    const { live } = await world(context, wire, [doing(commands, done)])
    assert.equal((await live.build('full')).result, 'success')
    assert.deepEqual(
      done.results.map(({ cause }) => cause),
      [...Array(8).fill('exit'), 'error', 'error'],
      JSON.stringify(done.results),
    )
    assert.equal((done.results[1]!.data as { type: string }).type, 'directory')
    assert.equal(done.results[2]!.data, null)
    assert.deepEqual(done.results[4]!.data, ['other/deep', 'src/deep'])
    assert.deepEqual(done.results[7]!.data, [])
    assert.match(done.results[8]!.error!, /leaves the builder's directory/)
  })

  story('twenty megabytes go over and back unchanged', async (context) => {
    const done: Done = { results: [], received: [] }
    const file = randomBytes(20 * 1024 * 1024)
    const commands: Command[] = [
      { kind: 'download', path: 'new/folder/file.bin', mode: 0o640 },
      { kind: 'upload', path: 'new/folder/file.bin' },
      { kind: 'upload', path: 'missing.bin' },
    ]
    const { live, worker } = await world(context, wire, [doing(commands, done, file)])
    await live.build('full', 90_000)
    assert.deepEqual(
      done.results.map(({ cause }) => cause),
      ['exit', 'exit', 'error'],
      JSON.stringify(done.results),
    )
    assert.equal(hash(readFileSync(join(worker.basedir, 'full/new/folder/file.bin'))), hash(file))
    assert.equal(hash(Buffer.concat(done.received)), hash(file))
    assert.match(done.results[2]!.error!, /missing\.bin/)
  })

  story('git checks out on the worker', async (context) => {
    const { createRepository } = await import('../../plugins/vc/repository.ts')
    const repository = await createRepository()
    context.after(() => repository[Symbol.asyncDispose]())
    const revision = await repository.commit('first', { 'README.md': 'hello\n' })
    const { live } = await world(context, wire, [git({ repourl: repository.path, mode: 'copy' }), sh('cat README.md')])
    const finished = await live.build('full', 60_000)
    assert.equal(finished.result, 'success', await live.text(finished.build, 0, 'all'))
    assert.equal(await live.text(finished.build, 1), 'hello\n')
    const { properties } = (await live.master.query.build(finished.build))!
    assert.equal(properties.got_revision?.value, revision)
  })

  story('a stopped build ends its command', async (context) => {
    const { live, worker } = await world(context, wire, [sh('echo $$ > pid; exec sleep 600')])
    const building = live.build('full', 60_000)
    const pidFile = join(worker.basedir, 'full/build/pid')
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', { what: 'the command to begin' })
    const { build } = await live.event('buildStarted')
    await live.master.stopBuild({ build, who: 'joe', reason: 'enough' }, 'test')
    assert.equal((await building).result, 'cancelled')
    assert.equal(existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`), false)
  })

  story('silence and length have their limits', async (context) => {
    const { live } = await world(context, wire, [
      sh('exec sleep 600', { timeout: 1, flunkOnFailure: false }),
      sh('while true; do echo x; sleep 0.1; done', { maxTime: 1, flunkOnFailure: false }),
    ])
    const { build } = await live.build('full', 60_000)
    const { steps } = (await live.master.query.build(build))!
    assert.match(steps[0]!.text, /timed out, no output/)
    assert.match(steps[1]!.text, /stopped, it took longer/)
    assert.match(await live.text(build, 0, 'header'), /1(\.0)? seconds without output/)
    assert.match(await live.text(build, 1, 'header'), /1(\.0)? seconds elapsed/)
  })

  story('a build whose worker is killed is built again when it is back', async (context) => {
    const { live, worker, port } = await world(context, wire, [sh('test -e ../seen || { touch ../seen; sleep 600; }')])
    const building = live.build('full', 60_000)
    await until(() => existsSync(join(worker.basedir, 'full/seen')), { what: 'the command to begin' })
    await worker.kill()
    assert.equal((await building).result, 'retry')
    const again = startWorker(port, { basedir: worker.basedir, options: wire.options })
    context.after(() => again.kill())
    assert.equal((await live.event('buildFinished', ({ number }) => number === 1, 30_000)).result, 'success')
  })

  story('a worker comes back to a master that was restarted in the middle of a build', async (context) => {
    const steps = [sh('test -e ../seen || { touch ../seen; sleep 600; }')]
    const { live, worker, port } = await world(context, wire, steps)
    const building = live.build('full', 60_000)
    building.catch(() => {}) // that master goes
    await until(() => existsSync(join(worker.basedir, 'full/seen')), { what: 'the command to begin' })
    await live[Symbol.asyncDispose]()
    await using next = await startLiveMaster(config(wire, steps, port))
    await next.event('slaveConnected', undefined, 30_000)
    assert.equal((await next.build('full')).result, 'success')
  })

  story('a worker that is restarted while idle builds again', async (context) => {
    const { live, worker, port } = await world(context, wire, [sh('echo hello')])
    await worker.kill('SIGTERM')
    await live.event('slaveLost')
    const again = startWorker(port, { basedir: worker.basedir, options: wire.options })
    context.after(() => again.kill())
    await until(() => live.events.filter(({ name }) => name === 'slaveConnected').length === 2, {
      what: 'the second attach',
      deadline: 20_000,
    })
    assert.equal((await live.build('full')).result, 'success')
  })

  story('of two workers with one name the first stays; the second is let in when it is gone', async (context) => {
    const { live, worker, port } = await world(context, wire, [sh('echo hello')])
    const second = startWorker(port, { options: wire.options })
    context.after(() => second[Symbol.asyncDispose]())
    const refused = () => live.log.find('warn', 'slave not attached')
    await until(() => refused().length > 0, { what: 'the refusal', deadline: 20_000, seen: () => live.log.text() })
    assert.equal((await live.build('full')).result, 'success')
    assert.equal(live.events.filter(({ name }) => name === 'slaveLost').length, 0)
    assert.equal(second.child.exitCode, null, 'it tries again')
    await worker.kill()
    await until(() => live.events.filter(({ name }) => name === 'slaveConnected').length === 2, {
      what: 'the second worker to be let in',
      deadline: 60_000,
    })
  })

  story('a worker with a wrong password is let in once the config is mended', async (context) => {
    let port = 0
    const wrong = { slaves: [slave({ name: 'bot', password: 'other' })] }
    const steps = [sh('echo hello')]
    const live = await startLiveMaster({ ...config(wire, steps, 0, (bound) => void (port = bound)), ...wrong })
    const worker = startWorker(port, { options: wire.options })
    context.after(async () => {
      await worker[Symbol.asyncDispose]()
      await live[Symbol.asyncDispose]()
    })
    const refused = () => live.log.find('warn').filter(({ message }) => /login refused/.test(message))
    await until(() => refused().length >= 2, { what: 'a second try', deadline: 30_000, seen: () => live.log.text() })
    await live.reconfigure(config(wire, steps, 0))
    await live.event('slaveConnected', undefined, 60_000)
    assert.equal((await live.build('full')).result, 'success')
  })

  story('the master asks a worker to exit', async (context) => {
    let port = 0
    const host = createTestHost({ slaves: { bot: 'pass1' } })
    context.after(() => host.stop())
    for (const transport of wire.transports(0, (bound) => void (port = bound)) ?? []) await host.run(transport)
    await using worker = startWorker(port, { options: wire.options })
    const connection = await until(() => host.attached[0], { what: 'the worker to attach' })
    await connection.shutdown()
    assert.equal(await until(worker.exited, { what: 'the worker to exit' }), 0)
  })

  story('builders come and go on a live link', async (context) => {
    let port = 0
    const steps = [sh('echo hello')]
    const first = config(wire, steps, 0, (bound) => void (port = bound))
    const live = await startLiveMaster(first)
    const worker = startWorker(port, { options: wire.options })
    context.after(async () => {
      await worker[Symbol.asyncDispose]()
      await live[Symbol.asyncDispose]()
    })
    await live.event('slaveConnected')
    const [bot] = first.slaves!
    const named = (name: string) => builder({ name, slaves: [bot!], factory: buildFactory(steps) })
    await live.reconfigure({ ...first, builders: [named('full'), named('docs')] })
    assert.equal((await live.build('docs')).result, 'success')
    await live.reconfigure({ ...first, builders: [named('docs')] })
    assert.equal((await live.build('docs')).result, 'success')
    await live.reconfigure({ ...first, builders: [named('full'), named('docs')] })
    assert.equal((await live.build('full')).result, 'success')
    assert.equal(live.events.filter(({ name }) => name === 'slaveConnected').length, 1)
  })
}

export { config, sh }
