import assert from 'node:assert/strict'
import { builder, buildFactory, defineMaster, slave } from '../../config.ts'
import { type Duration, durationMs } from '../../duration.ts'
import type { Change, ChangeInput } from '../../model.ts'
import type { PluginInstance } from '../../plugin.ts'
import type { SchedulerRules } from '../../scheduler.ts'
import { defineStep } from '../../step.ts'
import { type Rig, withRig } from '../rig/rig.ts'
import { createTestHost } from '../test-host.ts'
import { acceptedChange } from '../test-powers.ts'
import { followRules, type RulesRun } from './follow-rules.ts'
import type { RunTest } from './run-test.ts'

/** A scheduler to be put through {@link schedulerSuite}. */
export interface SchedulerKind {
  /** For the names of the tests. */
  readonly name: string
  /** The same scheduler, as a config read anew has it. Its builders may have any names. */
  plugin(): PluginInstance<'scheduler'>
  /** Changes it wants; default: of branch `main`, with a file `a.c`. */
  readonly change?: Partial<ChangeInput>
  /** How far the clock is moved until all that waits must have been built; default `'1d'`. */
  readonly patience?: Duration
  /** Schedulers it follows or is used with, for the config beside it. */
  others?(): readonly PluginInstance<'scheduler'>[]
}

/**
 * What every scheduler has to do, whatever it decides by: decide by input, state and time alone, keep its state as JSON, ask only for what
 * it may, and build the same when the master is killed in between.
 * @example
 * import { test } from 'node:test' // or from 'vitest'
 * schedulerSuite(test, { name: 'thirds', plugin: () => thirds({ name: 'thirds', builders: ['full'] }) })
 */
export function schedulerSuite(test: RunTest, kind: SchedulerKind): void {
  const it = (name: string, run: () => Promise<void>) => test(`the scheduler ${kind.name} ${name}`, run)
  const patience = durationMs(kind.patience ?? '1d')!
  const walk = walkOf(kind, patience)

  it('decides the same for the same input, state and time, and changes neither', async () => {
    for (const rules of rulesOf(kind)) await walked(followRules(rules), walk)
  })

  it('decides the same when the master is started anew at any point', async () => {
    for (const [at, rules] of rulesOf(kind).entries()) {
      const expected = await walked(followRules(rules), walk)
      for (let restart = 1; restart < walk.length; restart++) {
        let run = followRules(rules)
        for (const [i, act] of walk.entries()) {
          if (i === restart) run = run.again(rulesOf(kind)[at]!)
          await act(run)
        }
        assert.deepEqual(run.built, expected.built, `after a start before input ${restart}`)
      }
    }
  })

  it('asks for builds when it is triggered or forced, if it can be', async () => {
    for (const rules of rulesOf(kind)) {
      if (rules.triggerable !== true) continue
      const run = followRules(rules)
      run.feed({ kind: 'start' })
      run.feed({ kind: 'trigger', reason: 'triggered', sourceStamp: { branch: 'main' }, properties: {}, key: 'one' })
      assert.ok(run.built.length > 0, 'a trigger input gives a buildset')
    }
  })

  it('builds the same in a master that is killed behind each change', async () => {
    const calm = await buildsOf(kind, patience, async () => {})
    const killed = await buildsOf(kind, patience, (rig) => rig.restart())
    assert.deepEqual(killed, calm)
  })

  it('leaves no timer when the master stops', () =>
    withRig({ config: configOf(kind) }, async (rig) => rig.advance('1s')))
}

type Act = (run: RulesRun) => void | Promise<void>

/** Some life: changes, waits of several lengths, impatience. */
function walkOf(kind: SchedulerKind, patience: number): readonly Act[] {
  const change =
    (id: number): Act =>
    (run) =>
      run.change(changeOf(kind, id, run.now))
  const wait =
    (ms: number): Act =>
    (run) =>
      run.until(run.now + ms)
  const now: Act = (run) => run.feed({ kind: 'now' })
  return [
    (run) => run.feed({ kind: 'start' }),
    change(1),
    wait(1000),
    change(2),
    wait(patience / 100),
    change(3),
    change(4),
    wait(patience),
    now,
    change(5),
    now,
    wait(patience / 2),
    wait(patience),
  ]
}

async function walked(run: RulesRun, walk: readonly Act[]): Promise<RulesRun> {
  for (const act of walk) await act(run)
  return run
}

function changeOf({ change = {} }: SchedulerKind, id: number, now: number): Change {
  const input = { who: 'jane', files: ['a.c'], comments: `change ${id}`, branch: 'main', revision: `r${id}`, ...change }
  return acceptedChange(input, id, now, 'suite')
}

function rulesOf(kind: SchedulerKind): readonly SchedulerRules[] {
  const host = createTestHost()
  host.apply(kind.plugin())
  assert.ok(host.records.schedulers.length > 0, 'it registers a scheduler in apply')
  return host.records.schedulers
}

const nothing = defineStep({ name: 'nothing', run: async () => ({ result: 'success' }) })

function configOf(kind: SchedulerKind) {
  const others = kind.others?.() ?? []
  const names = new Set(
    [kind.plugin(), ...others]
      .flatMap((plugin) => rulesOf({ ...kind, plugin: () => plugin }))
      .flatMap(({ builders }) => builders),
  )
  const bot = slave({ name: 'bot' })
  return defineMaster({
    projectName: 'Suite',
    transports: [],
    slaves: [bot],
    builders: [...names].map((name) => builder({ name, slaves: [bot], factory: buildFactory([nothing()]) })),
    schedulers: [...others, kind.plugin()],
  })
}

/** What was asked for, by whom and of which changes. */
async function buildsOf(
  kind: SchedulerKind,
  patience: number,
  between: (rig: Rig) => Promise<void>,
): Promise<readonly string[]> {
  return withRig({ config: configOf(kind) }, async (rig) => {
    for (let i = 0; i < 3; i++) {
      await rig.commit({ branch: 'main', files: ['a.c'], ...kind.change })
      await between(rig)
      await rig.advance('1s')
    }
    await rig.advance(patience)
    await between(rig)
    const created = rig.events.flatMap((one) => (one.name === 'buildsetCreated' ? [one.event] : []))
    const views = await Promise.all(created.map(({ buildset }) => rig.query.buildset(buildset)))
    return views.map((view) => `${view?.scheduler} [${view?.sourceStamp.changes}]`)
  })
}
