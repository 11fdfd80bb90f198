import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type CommandResult, interpolate, type Step, secret } from 'boltbot/plugin-sdk'
import { compile, configure, shellCommand, test as testStep } from 'boltbot/plugins/steps'
import { createLocalStep, type LocalStepOptions } from '../vc/command-runner.ts'

let directory = ''
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boltbot-steps-'))
})
after(() => rm(directory, { recursive: true, force: true }))

describe('shell steps', () => {
  it('takes exit code 0 for success and any other for failure, unless told otherwise', async () => {
    assert.equal((await run(shellCommand({ command: 'exit 0' }))).outcome.result, 'success')
    assert.equal((await run(shellCommand({ command: 'exit 3' }))).outcome.result, 'failure')
    const decodeRC = { 3: 'warnings', 0: 'failure' } as const
    assert.equal((await run(shellCommand({ command: 'exit 3', decodeRC }))).outcome.result, 'warnings')
    assert.equal((await run(shellCommand({ command: 'exit 0', decodeRC }))).outcome.result, 'failure')
  })

  it('runs a list without a shell, with properties and secrets put in', async () => {
    const { step } = await run(
      shellCommand({
        command: ['printf', '%s|', interpolate`v-${'got_revision'}.tgz`, '$HOME; ls', secret('token')],
        env: { GREETING: interpolate`hello ${'who'}`, NOTHING: null },
        workdir: interpolate`work-${'who'}`,
      }),
      { properties: { got_revision: 'abc', who: 'jane' }, secrets: { token: 's3cret' } },
    )
    assert.equal(step.logs.get('stdio'), 'v-abc.tgz|$HOME; ls|s3cret|')
    const [asked] = step.asked
    assert.ok(asked?.kind === 'shell')
    assert.deepEqual(asked.env, { GREETING: 'hello jane', NOTHING: null })
    assert.equal(asked.workdir, 'work-jane')
  })

  it('hands on its limits in ms, the defaults being those of the manual', async () => {
    const { step } = await run(shellCommand({ command: 'true' }))
    const { timeout, maxTime, sigtermTime, workdir } = step.asked[0] as never as Record<string, unknown>
    assert.deepEqual(
      { timeout, maxTime, sigtermTime, workdir },
      { timeout: 1_200_000, maxTime: null, sigtermTime: 5000, workdir: 'build' },
    )
    const own = await run(shellCommand({ command: 'true', timeout: null, maxTime: '1h30m', sigtermTime: 1 }))
    const given = own.step.asked[0] as never as Record<string, unknown>
    assert.deepEqual([given.timeout, given.maxTime, given.sigtermTime], [null, 5_400_000, 1000])
  })

  it('says in words how a command ended when it was not by itself', async () => {
    assert.deepEqual((await run(shellCommand({ command: 'kill -9 $$' }))).outcome, {
      result: 'failure',
      detail: ['(killed by SIGKILL)'],
    })
    const slow = await run(shellCommand({ command: ['sleep', '60'], timeout: '50ms' }))
    assert.deepEqual(slow.outcome, { result: 'failure', detail: ['(timed out, no output for 50ms)'] })
    const long = await run(shellCommand({ command: ['sleep', '60'], maxTime: '50ms' }))
    assert.deepEqual(long.outcome, { result: 'failure', detail: ['(stopped, it took longer than 50ms)'] })
    const absent = await run(shellCommand({ command: ['/no/such/program'] }))
    assert.equal(absent.outcome.result, 'failure')
    assert.match(absent.outcome.detail?.[0] ?? '', /ENOENT/)
    const interrupted = await run(shellCommand({ command: 'x' }), { instead: () => ended({ cause: 'interrupted' }) })
    assert.deepEqual(interrupted.outcome, { result: 'exception', detail: ['(interrupted on the slave)'] })
  })

  it('describes itself by its command when it is told nothing', () => {
    const words = (step: Step) => step.definition.describe?.(step.options as never)?.done.join(' ')
    assert.equal(words(shellCommand({ command: 'make all' })), "'make all'")
    assert.equal(words(shellCommand({ command: 'make' })), "'make'")
    assert.equal(words(shellCommand({ command: ['tar', 'czf', 'a.tgz', '.'] })), "'tar czf ...'")
    assert.equal(words(shellCommand({ command: [secret('x'), interpolate`a-${'b'}`] })), "'*** a-<b>'")
    assert.deepEqual(compile().definition.describe?.({} as never), { running: ['compiling'], done: ['compile'] })
  })

  it('knows the usual commands and flags', async () => {
    const commandOf = async (step: Step) =>
      (await run(step, { instead: () => ended({}) })).step.asked.map((command) =>
        command.kind === 'shell' ? command.command : command.kind,
      )
    assert.deepEqual(await commandOf(configure()), ['./configure'])
    assert.deepEqual(await commandOf(compile()), ['make all'])
    assert.deepEqual(await commandOf(testStep()), ['make test'])
    assert.deepEqual(configure().flags, { flunkOnFailure: true, haltOnFailure: true })
    assert.deepEqual(compile({ flunkOnWarnings: true }).flags, {
      flunkOnFailure: true,
      haltOnFailure: true,
      flunkOnWarnings: true,
    })
    assert.deepEqual(testStep({ name: 'unit' }).flags, { flunkOnFailure: true, name: 'unit' })
  })

  it('refuses options that cannot be meant, in words', () => {
    const problems = (step: Step) => {
      const checked = step.definition.schema?.['~standard'].validate(step.options)
      return checked instanceof Promise ? [] : checked?.issues?.map(({ message }) => message)
    }
    assert.match(problems(shellCommand({ command: [] }))?.[0] ?? '', /^Give the program and its arguments/)
    assert.match(problems(shellCommand({ command: 'x', timeout: 'soon' }))?.[0] ?? '', /^Give seconds, or text such as/)
    assert.match(
      problems(shellCommand({ command: 'x', decodeRC: { 1: 'bad' as never } }))?.[0] ?? '',
      /^Give one of success/,
    )
    assert.match(problems(compile({ warningPattern: '(' }))?.[0] ?? '', /^Give a regular expression/)
    assert.match(problems(shellCommand({ command: 'x', comand: 1 } as never))?.[0] ?? '', /comand/)
  })
})

describe('compile', () => {
  it('counts warnings, keeps them in a log of their own, and makes the result warnings', async () => {
    const { outcome, step } = await run(
      compile({
        command: "printf 'a.c:1: warning: x\\nfine\\n'; printf 'b.c:2: Warning: y' >&2; printf 'no warnings\\n'",
      }),
    )
    assert.equal(outcome.result, 'warnings')
    assert.equal(step.properties['warnings-count']?.value, 2)
    assert.equal(step.logs.get('warnings (2)'), 'a.c:1: warning: x\nb.c:2: Warning: y\n')
  })

  it('adds to the count of steps before it, and stays a failure when it failed', async () => {
    const { outcome, step } = await run(compile({ command: 'echo x: warning: y; exit 2' }), {
      properties: { 'warnings-count': 5 },
    })
    assert.equal(outcome.result, 'failure')
    assert.equal(step.properties['warnings-count']?.value, 6)
    const clean = await run(compile({ command: 'echo fine' }))
    assert.equal(clean.outcome.result, 'success')
    assert.equal(clean.step.properties['warnings-count']?.value, 0)
    assert.deepEqual([...clean.step.logs.keys()], ['stdio'])
  })

  it('takes a pattern of its own, also one that remembers where it was', async () => {
    const { outcome } = await run(compile({ command: "printf 'W: a\\nW: b\\nW: c\\n'", warningPattern: /^W: /g }))
    assert.equal(outcome.result, 'warnings')
    const { step } = await run(compile({ command: "printf 'W: a\\nW: b\\nW: c\\n'", warningPattern: '.*W: [ab]' }))
    assert.equal(step.properties['warnings-count']?.value, 2)
  })

  it('survives a line of 5 MB and a million warnings without keeping them', async () => {
    const program =
      "const w = (s) => process.stdout.write(s); w('x'.repeat(5 << 20) + ' warning: far\\n'); w('near warning: ' + 'y'.repeat(5 << 20)); w('\\n'); for (let i = 0; i < 100; i++) w('a.c: warning: something\\n'.repeat(1000))"
    const { step, outcome } = await run(compile({ command: [process.execPath, '-e', program] }))
    assert.equal(outcome.result, 'warnings')
    assert.equal(step.properties['warnings-count']?.value, 100_001)
    const log = step.logs.get('warnings (100001)') ?? ''
    assert.ok(log.length < 2 << 20)
    assert.match(log, /… and \d+ more, see stdio\n$/)
  })

  it('writes no file outside of its directory', async () => {
    await run(shellCommand({ command: 'echo here > f', workdir: 'sub/dir' }))
    assert.equal(await readFile(join(directory, 'sub/dir/f'), 'utf8'), 'here\n')
  })
})

async function run(step: Step, options: Partial<LocalStepOptions> = {}) {
  const local = createLocalStep({ directory, ...options })
  return { step: local, outcome: await local.run(step) }
}

function ended(fields: Partial<CommandResult>): CommandResult {
  return { exitCode: 0, signal: null, cause: 'exit', error: null, elapsed: 0, data: null, ...fields }
}
