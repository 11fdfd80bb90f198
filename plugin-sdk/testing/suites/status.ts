import assert from 'node:assert/strict'
import type { MasterOptions } from '../../config.ts'
import type { PluginInstance } from '../../plugin.ts'
import { withoutLeaks } from '../leaks.ts'
import { type Rig, withRig } from '../rig/rig.ts'
import { until } from '../until.ts'
import { EVENTFUL_SLAVES, eventful, eventfulConfig } from './eventful.ts'
import type { RunTest } from './run-test.ts'

/** A status target with somebody to tell, to be put through {@link statusSuite}. */
export interface StatusKind {
  /** For the names of the tests. */
  readonly name: string
  /** For one test. Awaited. */
  make(): Promise<StatusUnderTest>
  /** What else its config needs: `http` for pages, for instance. */
  readonly config?: Pick<MasterOptions<[], []>, 'http' | 'people' | 'plugins'>
  /** By name, for targets that ask for secrets. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** Disposed when its test is over; then the master has been stopped. */
export interface StatusUnderTest extends AsyncDisposable {
  /** The same target, as a config read anew has it. It must tell of failed builds of a builder `full`. */
  plugin(): PluginInstance<'status'>
  /**
   * What those outside were told so far, one entry each; a build counts as told when an entry's text, as JSON, has its builder. Left out: it
   * tells nobody by itself, as pages do.
   */
  told?(rig: Rig): readonly unknown[]
  /** Has those outside come who are told only while they listen: clients of a port. Called when the master runs, before anything happens. Awaited. */
  attend?(rig: Rig): Promise<void>
  /** Makes those outside unreachable (`true`), and reachable again. Left out: not tried. */
  breakOutside?(broken: boolean): void | Promise<void>
}

/**
 * What every status target has to do, whomever it tells: take every event of the walk, tell of a failure, delay no build when those outside
 * cannot be reached, and leave nothing behind; a durable one loses nothing over outages and kills of the master.
 * @example
 * import { test } from 'node:test' // or from 'vitest'
 * statusSuite(test, { name: 'lamp', make: () => startLamp() })
 */
export function statusSuite(test: RunTest, kind: StatusKind): void {
  const it = (name: string, run: (rig: Rig, target: StatusUnderTest) => Promise<void>) =>
    test(`the status target ${kind.name} ${name}`, async () => {
      await using target = await kind.make()
      await inRig(kind, target, (rig) => run(rig, target))
    })

  it('takes all that happens without an error', async (rig, target) => {
    await eventful(rig)
    await rig.advance('5m')
    const { id } = target.plugin()
    assert.deepEqual(
      rig.log.find('error').flatMap(({ message, fields }) => (fields.plugin === id ? [message] : [])),
      [],
      rig.log.text(),
    )
  })

  it('tells of a build that failed', async (rig, target) => {
    await rig.force('full')
    await rig.until.build('full', 'failure')
    await heard(rig, target, 1)
  })

  it('delays no build while those outside cannot be reached, and a durable one tells later', async (rig, target) => {
    if (target.breakOutside === undefined) return
    await target.breakOutside(true)
    for (let i = 0; i < 3; i++) {
      await rig.force('full')
      const build = await rig.until.build('full', 'failure')
      assert.equal(build.finishedAt, build.startedAt, 'no time went by')
    }
    await target.breakOutside(false)
    await rig.advance('15m')
    if (target.plugin().definition.durable) await heard(rig, target, 3)
  })

  it('tells of a build that failed right before the master was killed, if it is durable', async (rig, target) => {
    await rig.force('full')
    await rig.until.build('full', 'failure')
    await rig.restart()
    if (target.plugin().definition.durable) await heard(rig, target, 1)
  })

  it('is started anew with the same options', async (rig, target) => {
    assert.deepEqual(await rig.reconfigure(configOf(kind, target)), [])
    await rig.force('full')
    await rig.until.build('full', 'failure')
    await heard(rig, target, 1)
  })

  test(`the status target ${kind.name} leaves nothing behind when it is stopped`, () =>
    withoutLeaks(async () => {
      await using target = await kind.make()
      await inRig(kind, target, async (rig) => {
        await rig.force('full')
        await rig.until.build('full', 'failure')
        await heard(rig, target, 1)
      })
    }))
}

const configOf = (kind: StatusKind, target: StatusUnderTest) =>
  eventfulConfig({ ...kind.config, status: [target.plugin()] })

function inRig<T>(kind: StatusKind, target: StatusUnderTest, use: (rig: Rig) => Promise<T>): Promise<T> {
  return withRig(
    { config: configOf(kind, target), slaves: EVENTFUL_SLAVES, ...(kind.secrets && { secrets: kind.secrets }) },
    async (rig) => {
      await target.attend?.(rig)
      return use(rig)
    },
  )
}

/** Real time: those outside may be behind sockets. */
async function heard(rig: Rig, { told }: StatusUnderTest, builds: number): Promise<void> {
  if (told === undefined) return
  const count = () => told(rig).filter((one) => JSON.stringify(one).includes('full')).length
  await until(
    async () => {
      await rig.advance('1s') // what waits for the clock comes too
      return count() >= builds
    },
    { what: `${builds} failed builds of "full" to be told`, seen: () => `${count()} were; ${rig.log.text()}` },
  )
}
