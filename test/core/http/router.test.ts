import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRouter, segmentsOf, wrongPath } from '../../../core/http/router.ts'

function routerOf(...paths: readonly string[]) {
  const router = createRouter<string>()
  for (const path of paths) assert.ok(router.add('GET', path, path), path)
  return (path: string, method = 'GET') => router.find(method, segmentsOf(path) ?? [])
}

test('a path is served by the route whose words it has, with its parameters decoded', () => {
  const find = routerOf('/', '/builders', '/builders/:name', '/builders/:name/builds/:number')
  assert.deepEqual(find('/'), { served: '/', params: {} })
  assert.deepEqual(find('/builders/full%20%2F%20t%C3%BCr'), {
    served: '/builders/:name',
    params: { name: 'full / tür' },
  })
  assert.deepEqual(find('/builders/a/builds/7'), {
    served: '/builders/:name/builds/:number',
    params: { name: 'a', number: '7' },
  })
})

test('a plain word goes before a parameter, whichever was added first', () => {
  for (const paths of [
    ['/a/:x', '/a/new'],
    ['/a/new', '/a/:x'],
    ['/a/:x', '/a/1'],
  ]) {
    const find = routerOf(...paths)
    const plain = paths.find((path) => !path.includes(':'))!
    assert.equal(find(plain).served, plain)
    assert.equal(find('/a/else').served, '/a/:x')
  }
})

test('what is not there is told from what cannot be done', () => {
  const find = routerOf('/builders/:name')
  assert.deepEqual(find('/slaves'), { served: undefined, allowed: [] })
  assert.deepEqual(find('/builders/'), { served: undefined, allowed: [] })
  assert.deepEqual(find('/builders/full', 'POST'), { served: undefined, allowed: ['GET', 'HEAD'] })
  assert.equal(find('/builders/full', 'HEAD').served, '/builders/:name')
})

test('a route that is gone is not found, and its place can be taken again', () => {
  const router = createRouter<string>()
  const first = router.add('GET', '/a/:x', 'first')!
  assert.equal(router.add('GET', '/a/:other', 'second'), undefined)
  assert.equal(router.serving('GET', '/a/:any'), 'first')
  first[Symbol.dispose]()
  assert.equal(router.find('GET', ['a', 'b']).served, undefined)
  assert.ok(router.add('GET', '/a/:other', 'second'))
})

test('paths that climb, or that carry control characters or stray percent signs, lead nowhere', () => {
  for (const path of ['/..', '/a/../b', '/a/%2e%2e/b', '/%2E', '/a%00b', '/a%0a', '/%', '/%zz', 'a', '*'])
    assert.equal(segmentsOf(path), undefined, path)
  assert.deepEqual(segmentsOf('/...'), ['...'])
})

test('a route has a path of plain words and names', () => {
  for (const path of ['/', '/*', '/metrics', '/hooks/:id', '/a/:b/c.json'])
    assert.equal(wrongPath(path), undefined, path)
  for (const path of ['', 'a', '//', '/a/', '/a//b', '/../a', '/a b', '/:', '/:1', '/:a/:a', '/a/*', '/*/a', 7])
    assert.equal(typeof wrongPath(path), 'string', String(path))
})

test('what nobody serves goes to the route for the rest, and only that', () => {
  const router = createRouter<string>()
  router.add('GET', '/*', 'rest')
  router.add('GET', '/a', 'a')
  assert.equal(router.find('GET', ['a']).served, 'a')
  assert.deepEqual(router.find('GET', ['b']), { served: undefined, allowed: [] })
  assert.deepEqual(
    [router.fallback('GET'), router.fallback('HEAD'), router.fallback('POST')],
    ['rest', 'rest', undefined],
  )
})
