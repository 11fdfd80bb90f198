import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builder, buildFactory, definePlugin, defineStep, masterLock, slave } from 'boltbot/plugin-sdk'
import { compareOptions, createLiveOptions } from '../../../core/host/live-options.ts'

test('functions are swapped in place, wherever they stand', () => {
  const live = createLiveOptions({ important: () => 1, filters: [{ match: () => 'a' }], name: 'x' })
  const given = live.options as { important: () => number; filters: { match: () => string }[]; name: string }
  const { important } = given
  const match = given.filters[0]!.match
  assert.deepEqual([important(), match(), given.name], [1, 'a', 'x'])
  live.swap({ important: () => 2, filters: [{ match: () => 'b' }], name: 'x' })
  assert.deepEqual([important(), match()], [2, 'b'])
  assert.ok(Object.isFrozen(given) && Object.isFrozen(given.filters) && Object.isFrozen(given.filters[0]))
})

test('a stable function keeps this, arguments, properties and new', () => {
  class Lamp {
    lit: boolean
    constructor(lit: boolean) {
      this.lit = lit
    }
  }
  const live = createLiveOptions({
    Lamp,
    add: Object.assign((a: number, b: number) => a + b, { unit: 'mm' }),
    own() {
      return this
    },
  })
  const given = live.options as {
    Lamp: typeof Lamp
    add: ((a: number, b: number) => number) & { unit: string }
    own(): unknown
  }
  assert.deepEqual([given.add(1, 2), given.add.unit, given.add.length], [3, 'mm', 2])
  assert.equal(given.own(), given)
  const lamp = new given.Lamp(true)
  assert.ok(lamp instanceof Lamp && lamp.lit)
})

test('renewed options have new data and share functions with the old ones', () => {
  const live = createLiveOptions({ url: 'a', format: () => 'old' })
  const before = live.options as { url: string; format: () => string }
  const after = live.renew({ url: 'b', format: () => 'new' }) as typeof before
  assert.deepEqual([before.url, after.url, before.format(), after.format()], ['a', 'b', 'new', 'new'])
  assert.equal(before.format, after.format)
})

test('instances and parts of the config are given as they are', () => {
  const full = builder({ name: 'full', slaves: ['bot'], factory: buildFactory([]) })
  const when = new Date(0)
  const { options } = createLiveOptions({ builders: [full], when }) as { options: { builders: unknown[]; when: Date } }
  assert.equal(options.builders[0], full)
  assert.equal(options.when, when)
})

test('options are equal when their data are, whatever their functions', () => {
  const make = () => ({
    url: 'x',
    deep: { list: [1, { a: null }], set: new Set([1]), map: new Map([['k', [1]]]) },
    branch: /^feature\//i,
    since: new Date(5),
    home: new URL('http://x/'),
    bytes: new Uint8Array([1, 2]),
    important: () => true,
    nothing: undefined,
    nan: Number.NaN,
  })
  assert.deepEqual(compareOptions(make(), make()), [])
})

test('each option with other data is named', () => {
  const cases: [string, unknown, unknown][] = [
    ['text', 'a', 'b'],
    ['added', undefined, 1],
    ['list', [1], [1, 2]],
    ['deep', { a: { b: 1 } }, { a: { b: 2 } }],
    ['key', { a: 1 }, { b: 1 }],
    ['flags', /x/, /x/i],
    ['date', new Date(1), new Date(2)],
    ['kind', [], {}],
    ['empty', null, {}],
    ['functionGone', () => 1, undefined],
    ['functionCame', 'mode', () => 'mode'],
    ['map', new Map([['a', 1]]), new Map([['a', 2]])],
    ['instance', new (class Secret {})(), new (class Secret {})()],
  ]
  const before = Object.fromEntries(cases.map(([key, a]) => [key, a]))
  const after = Object.fromEntries(cases.map(([key, , b]) => [key, b]))
  assert.deepEqual(
    compareOptions(before, after),
    cases.map(([key]) => key),
  )
})

test('an instance of an own class is equal to itself only', () => {
  const filter = new (class Filter {})()
  assert.deepEqual(compareOptions({ filter }, { filter }), [])
})

test('builders, slaves, locks and plugins inside options are compared by name', () => {
  const step = defineStep({ name: 'noop', run: async () => ({ result: 'success' as const }) })
  const lamp = definePlugin({ name: 'lamp', kind: 'status', apply() {} })
  const make = (maxCount: number, name: string) => ({
    builders: [builder({ name, slaves: ['bot'], factory: buildFactory(maxCount > 1 ? [step()] : []) })],
    slave: slave({ name, maxBuilds: maxCount }),
    lock: masterLock(name, { maxCount }).access('counting'),
    upstream: lamp({ id: name }),
  })
  assert.deepEqual(compareOptions(make(1, 'a'), make(2, 'a')), [])
  assert.deepEqual(compareOptions(make(1, 'a'), make(1, 'b')), ['builders', 'slave', 'lock', 'upstream'])
})

test('options that contain themselves are compared and taken without end', () => {
  const make = () => {
    const options: { self?: unknown; x: number } = { x: 1 }
    options.self = options
    return options
  }
  assert.deepEqual(compareOptions(make(), make()), [])
  assert.equal((createLiveOptions(make()).options as { x: number }).x, 1)
})
