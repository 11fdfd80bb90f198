import assert from 'node:assert/strict'
import type { Command } from '../../command.ts'
import { type Builder, builder, buildFactory, defineMaster, type MasterOptions, slave } from '../../config.ts'
import type { BuildView } from '../../model.ts'
import type { Result } from '../../results.ts'
import type { Step } from '../../step.ts'
import { type Rig, withRig } from '../rig/rig.ts'
import { commandText, createAnswers, type ScriptedAnswer, type ScriptedResult } from '../scripted-answers.ts'
import type { RunTest } from './run-test.ts'

/** A kind of step to be put through {@link stepSuite}. */
export interface StepKind {
  /** For the names of the tests. */
  readonly name: string
  /** The same step, as a config read anew has it. */
  step(): Step
  /** What the slave answers when all is well; default: every command ends with 0, in silence. Give no answers that hang. */
  readonly answers?: readonly ScriptedAnswer[]
  /** How the step ends then; default `success`. */
  readonly result?: Result
  /** What else its config needs: schedulers it triggers and their builders, on the slave `bot`, for instance. */
  readonly config?: Pick<MasterOptions<[], []>, 'schedulers' | 'plugins' | 'properties'> & {
    readonly builders?: readonly Builder<string, 'bot'>[]
  }
  /** By name, for steps that ask for secrets. */
  readonly secrets?: Readonly<Record<string, string>>
}

/**
 * What every step has to do, whatever it runs: end with a result when its commands fail, end soon when its build is stopped, let a lost
 * slave through, and come to the same end over a kill of the master, with no command run twice.
 * @example
 * import { test } from 'node:test' // or from 'vitest'
 * stepSuite(test, { name: 'count files', step: () => countFiles(), answers: [{ match: 'glob', result: { data: ['a.ts'] } }] })
 */
export function stepSuite(test: RunTest, kind: StepKind): void {
  const it = (name: string, run: () => Promise<void>) => test(`the step ${kind.name} ${name}`, run)
  const expected = kind.result ?? 'success'

  it('ends as it should', () =>
    walk(kind, {}, async ({ rig }) => {
      assert.equal(stepOf(await rig.until.build('full')), expected)
    }))

  for (const [how, result] of FAILURES)
    it(`ends with a result, not as an exception, when its commands ${how}`, () =>
      walk({ ...kind, answers: [{ result }] }, {}, async ({ rig }) => {
        assert.notEqual(stepOf(await rig.until.build('full')), 'exception', rig.log.text())
      }))

  it('ends within a minute when its build is stopped, whichever command runs', async () => {
    for (const hold of await eachCommand(kind))
      await walk(kind, { hold }, async ({ rig, held }) => {
        await held
        await rig.stop('full')
        await rig.advance('1m')
        await rig.until.build('full')
      })
  })

  it('lets the loss of its slave through: the build is tried again', async () => {
    for (const hold of await eachCommand(kind))
      await walk(kind, { hold }, async ({ rig, held }) => {
        await held
        rig.slave('bot').crash()
        await rig.advance('10m')
        await rig.until.build('full', 'retry')
      })
  })

  it('comes to the same end over a kill of the master, and runs no command twice', async () => {
    const calm = await walk(kind, {}, async ({ rig }) => {
      await rig.until.build('full')
      return commandsOf(rig)
    })
    for (const hold of await eachCommand(kind))
      await walk(kind, { hold }, async ({ rig, held, release }) => {
        await held
        await rig.restart()
        release()
        assert.equal(stepOf(await rig.until.build('full')), expected)
        assert.deepEqual(commandsOf(rig), calm)
      })
  })
}

const FAILURES: readonly (readonly [how: string, result: ScriptedResult])[] = [
  ['fail', 1],
  ['are ended by a signal', { exitCode: null, signal: 'SIGSEGV' }],
  ['take too long', { exitCode: null, signal: 'SIGKILL', cause: 'timeout' }],
  ['cannot be done', { exitCode: null, cause: 'error', error: 'there is no such thing here' }],
]

interface Walk {
  readonly rig: Rig
  /** Resolves when the command to be held runs, and has printed. */
  readonly held: Promise<void>
  release(): void
}

/** Runs a build of the one step; `hold`: its command of this number does not end until it is released. */
async function walk<T>(
  kind: StepKind,
  { hold }: { readonly hold?: number },
  use: (walk: Walk) => Promise<T>,
): Promise<T> {
  const held = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const answerTo = createAnswers(kind.answers ?? [])
  let commands = 0
  const answers = (command: Command, name: string): ScriptedAnswer => {
    const own = answerTo(command, name)
    if (name !== 'full' || commands++ !== hold) return own
    return {
      ...own,
      async run(context) {
        held.resolve()
        const interrupted = new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }))
        await Promise.race([released.promise, interrupted])
        return context.signal.aborted ? undefined : own.run?.(context)
      },
    }
  }
  const bot = slave({ name: 'bot' })
  const full = builder({ name: 'full', slaves: [bot], factory: buildFactory([kind.step()]) })
  const config = defineMaster({
    projectName: 'Suite',
    transports: [],
    ...kind.config,
    slaves: [bot],
    builders: [full, ...(kind.config?.builders ?? [])],
  })
  return withRig({ config, slaves: { bot: answers }, ...(kind.secrets && { secrets: kind.secrets }) }, async (rig) => {
    await rig.force('full')
    return use({ rig, held: held.promise, release: () => released.resolve() })
  })
}

/** Numbers of the commands it runs when all is well. */
async function eachCommand(kind: StepKind): Promise<readonly number[]> {
  return walk(kind, {}, async ({ rig }) => {
    await rig.until.build('full')
    return commandsOf(rig).map((_, index) => index)
  })
}

const commandsOf = (rig: Rig) =>
  rig
    .slave('bot')
    .asked.flatMap((one) => (one.what === 'run' && one.builder === 'full' ? [commandText(one.command)] : []))

const stepOf = (build: BuildView): Result | null => build.steps[0]?.result ?? null
