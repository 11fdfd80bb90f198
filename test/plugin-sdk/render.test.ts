import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interpolate, isSecretRef, type PropertyMap, render, secret, withProperties } from 'boltbot/plugin-sdk'

const properties: PropertyMap = {
  revision: { value: 'r12', source: 'Build' },
  number: { value: 7, source: 'Build' },
  nothing: { value: null, source: 'Build' },
  list: { value: ['a', 1], source: 'Build' },
}
const noSecret = () => assert.fail('a secret was asked for')
const text = (value: ReturnType<typeof interpolate>) => render<string>(value, properties, noSecret)

test('interpolate puts properties into text, nothing for what is not set or null', () => {
  assert.equal(text(interpolate`a-${'revision'}-${'number'}.tgz`), 'a-r12-7.tgz')
  assert.equal(text(interpolate`[${'nothing'}${'unset'}]`), '[]')
  assert.equal(text(interpolate`${'list'}`), '["a",1]')
})

test('withProperties takes names in order or inside, and %% is a percent sign', () => {
  assert.equal(text(withProperties('a-%s-%d', 'revision', 'number')), 'a-r12-7')
  assert.equal(text(withProperties('a-%(revision)s-%(revision)s')), 'a-r12-r12')
  assert.equal(text(withProperties('100%% of %(nothing)s%(number)d')), '100% of 7')
})

test('withProperties refuses mixed forms, a wrong count and unknown conversions', () => {
  for (const [format, names, reason] of [
    ['%(revision)s %s', ['number'], /mixes/],
    ['%s %s', ['number'], /more "%s" than names/],
    ['%s', ['number', 'revision'], /"revision" is left over/],
    ['%x', [], /neither/],
    ['50%', [], /neither/],
  ] as const) {
    assert.throws(() => withProperties(format, ...names), { code: 'BOLT_RENDER_FORMAT', message: reason }, format)
  }
})

test('render goes through lists and objects, leaves other values alone, and asks for secrets when it meets them', () => {
  const when = new Date(0)
  const value = { argv: ['tar', interpolate`${'revision'}.tgz`], env: { KEY: secret('key'), N: 1 }, when, no: null }
  const rendered = render<object>(value, properties, (ref) => `<${ref.name}>`)
  assert.deepEqual(rendered, { argv: ['tar', 'r12.tgz'], env: { KEY: '<key>', N: 1 }, when, no: null })
})

test('a secret is known by its kind', () => {
  assert.deepEqual([secret('x'), { kind: 'secret' }, 'secret', null].map(isSecretRef), [true, false, false, false])
})
