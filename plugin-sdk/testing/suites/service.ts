import assert from 'node:assert/strict'
import type { MasterOptions } from '../../config.ts'
import type { PluginInstance } from '../../plugin.ts'
import { withoutLeaks } from '../leaks.ts'
import { type Rig, withRig } from '../rig/rig.ts'
import { EVENTFUL_SLAVES, eventful, eventfulConfig } from './eventful.ts'
import type { RunTest } from './run-test.ts'

/** A service with somebody who uses it, to be put through {@link serviceSuite}. */
export interface ServiceKind {
  /** For the names of the tests. */
  readonly name: string
  /** For one test. Awaited. */
  make(): Promise<ServiceUnderTest>
  /** What else its config needs: `http` for pages, for instance. The config has the builders `full`, which fails, and `good`. */
  readonly config?: Pick<MasterOptions<[], []>, 'http' | 'people' | 'schedulers'>
  /** By name, for services that ask for secrets. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** Disposed when its test is over; then the master has been stopped. */
export interface ServiceUnderTest extends AsyncDisposable {
  /** The same service, as a config read anew has it. */
  plugin(): PluginInstance<'service'>
  /** Has it do what it is for, once, and rejects when it does not. Left out: it waits for nobody. Awaited. */
  use?(rig: Rig): Promise<void>
}

/**
 * What every service has to do, whatever it is for: take every event of the walk, do its work after a kill of the master and under a config
 * that was read again, and leave nothing behind.
 * @example
 * import { test } from 'node:test' // or from 'vitest'
 * serviceSuite(test, { name: 'gate', make: () => startGate() })
 */
export function serviceSuite(test: RunTest, kind: ServiceKind): void {
  const it = (name: string, run: (rig: Rig, service: ServiceUnderTest) => Promise<void>) =>
    test(`the service ${kind.name} ${name}`, async () => {
      await using service = await kind.make()
      await inRig(kind, service, (rig) => run(rig, service))
    })

  it('takes all that happens without an error', async (rig, service) => {
    await eventful(rig)
    await rig.advance('5m')
    const { id } = service.plugin()
    assert.deepEqual(
      rig.log.find('error').flatMap(({ message, fields }) => (fields.plugin === id ? [message] : [])),
      [],
      rig.log.text(),
    )
    await service.use?.(rig)
  })

  it('does its work again after the master was killed', async (rig, service) => {
    await service.use?.(rig)
    await rig.restart()
    await service.use?.(rig)
  })

  it('does its work under a config that was read again', async (rig, service) => {
    assert.deepEqual(await rig.reconfigure(configOf(kind, service)), [])
    await service.use?.(rig)
  })

  it('goes with a config that has it no more, and comes again', async (rig, service) => {
    const { id } = service.plugin()
    const gone = await rig.reconfigure(eventfulConfig({ ...kind.config }))
    assert.ok(gone.includes(`plugin "${id}" stopped`), gone.join('\n'))
    const back = await rig.reconfigure(configOf(kind, service))
    assert.ok(back.includes(`plugin "${id}" started`), back.join('\n'))
    await service.use?.(rig)
  })

  test(`the service ${kind.name} leaves nothing behind when it is stopped`, () =>
    withoutLeaks(async () => {
      await using service = await kind.make()
      await inRig(kind, service, async (rig) => service.use?.(rig))
    }))
}

const configOf = (kind: ServiceKind, service: ServiceUnderTest) =>
  eventfulConfig({ ...kind.config, plugins: [service.plugin()] })

function inRig<T>(kind: ServiceKind, service: ServiceUnderTest, use: (rig: Rig) => Promise<T>): Promise<T> {
  const config = configOf(kind, service)
  return withRig({ config, slaves: EVENTFUL_SLAVES, ...(kind.secrets && { secrets: kind.secrets }) }, use)
}
