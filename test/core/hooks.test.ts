import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChangeInput, HOOK_KINDS, type HookName, type LogAppended } from 'boltbot/plugin-sdk'
import { createHooks } from '../../core/hooks.ts'

const change = { who: 'jane', files: ['a.c'], comments: 'x', source: 'git' }
const logged: LogAppended = { at: 1, build: 1, builder: 'full', number: 0, step: 0, log: 'stdio', length: 5 }

test('every hook of the catalogue can be tapped and is called as its kind says', async () => {
  const hooks = createHooks()
  const called: string[] = []
  const names = Object.keys(HOOK_KINDS) as HookName[]
  for (const name of names) hooks.tap('lamp', name, () => void called.push(name))
  for (const name of names) {
    assert.equal(hooks.isUsed(name), true, name)
    switch (HOOK_KINDS[name]) {
      case 'observe':
        hooks.tell(name as 'logAppended', logged)
        break
      case 'refine':
        await hooks.refine(name as 'refineChange', change)
        break
      case 'choose':
        await hooks.choose(name as 'chooseSlave', { builder: 'full', request: 1, slaves: ['bot'] })
        break
      case 'guard':
        await hooks.guard({ action: 'force', who: 'jane', via: 'cli' })
    }
    assert.equal(called.at(-1), name)
  }
  assert.deepEqual(called, names)
})

test('taps run by stage, then as they came, and before those they name', async () => {
  const hooks = createHooks()
  const order: string[] = []
  const tap = (plugin: string, options?: { stage?: number; before?: string | string[] }) =>
    hooks.tap(plugin, 'logAppended', () => void order.push(plugin), options)
  tap('a')
  tap('b')
  tap('late', { stage: 10 })
  tap('early', { stage: -1 })
  tap('b')
  tap('c', { before: 'b' })
  tap('nobody', { before: 'not-there' })
  tap('d', { before: ['a', 'late'] })
  hooks.tell('logAppended', logged)
  assert.deepEqual(order, ['early', 'd', 'a', 'c', 'b', 'b', 'nobody', 'late'])
})

test('order puts taps in config order whenever they came, stages still hold', () => {
  const hooks = createHooks()
  let order: string[] = []
  const tap = (plugin: string, stage = 0) =>
    hooks.tap(plugin, 'logAppended', () => void order.push(`${plugin}${stage || ''}`), { stage })
  const first = tap('c')
  tap('b')
  tap('a', 5)
  tap('a')
  hooks.tell('logAppended', logged)
  assert.deepEqual(order, ['c', 'b', 'a', 'a5'])
  order = []
  hooks.order(['a', 'b', 'c'])
  hooks.tell('logAppended', logged)
  assert.deepEqual(order, ['a', 'b', 'c', 'a5'])
  order = []
  first[Symbol.dispose]()
  hooks.tell('logAppended', logged)
  assert.deepEqual(order, ['a', 'b', 'a5'])
})

test('a removed tap is called no more, also when the hook was compiled before', () => {
  const hooks = createHooks()
  const called: string[] = []
  const first = hooks.tap('a', 'logAppended', () => void called.push('a'))
  hooks.tap('b', 'logAppended', () => void called.push('b'))
  hooks.tell('logAppended', logged)
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  hooks.tell('logAppended', logged)
  assert.deepEqual(called, ['a', 'b', 'b'])
})

test('a hook whose last tap is removed is unused again, and can be tapped again', () => {
  const hooks = createHooks()
  assert.equal(hooks.isUsed('logAppended'), false)
  hooks.tap('a', 'logAppended', () => {})[Symbol.dispose]()
  assert.equal(hooks.isUsed('logAppended'), false)
  let called = 0
  hooks.tap('a', 'logAppended', () => void called++)
  hooks.tell('logAppended', logged)
  assert.equal(called, 1)
})

test('a call under way does not enter a tap that was removed meanwhile, and one added meanwhile waits for the next call', async () => {
  const hooks = createHooks()
  const gate = Promise.withResolvers<void>()
  const seen: string[] = []
  hooks.tap('slow', 'refineChange', async () => {
    await gate.promise
    seen.push('slow')
    return undefined
  })
  const gone = hooks.tap('gone', 'refineChange', () => void seen.push('gone'))
  const refined = hooks.refine('refineChange', change)
  gone[Symbol.dispose]()
  hooks.tap('new', 'refineChange', () => void seen.push('new'))
  gate.resolve()
  await refined
  assert.deepEqual(seen, ['slow'])
  await hooks.refine('refineChange', change)
  assert.deepEqual(seen, ['slow', 'slow', 'new'])
})

test('a tap cannot alter what others see', async () => {
  const hooks = createHooks()
  const event = { ...change, files: ['a.c'], properties: { deep: { list: [1] } } }
  const problems: unknown[] = []
  hooks.tap('bad', 'refineChange', (given: typeof event) => {
    for (const alter of [
      () => given.files.push('b.c'),
      () => given.properties.deep.list.push(2),
      () => (given.who = 'eve'),
    ])
      try {
        alter()
      } catch (error) {
        problems.push(error)
      }
    return { ...given, comments: 'y' } as ChangeInput
  })
  const refined = await hooks.refine('refineChange', event)
  assert.equal(problems.length, 3)
  assert.deepEqual(refined, { ...event, comments: 'y' })
  assert.deepEqual(event.files, ['a.c'])
})

test('an async tap of an async hook is awaited', async () => {
  const hooks = createHooks()
  let done = false
  hooks.tap('slow', 'guardAction', async () => {
    await new Promise<void>((resolve) => setImmediate(resolve))
    done = true
  })
  await hooks.guard({ action: 'force', who: 'jane', via: 'cli' })
  assert.equal(done, true)
})

test('the first answer wins, and without one there is none', async () => {
  const hooks = createHooks()
  const choice = { builder: 'full', request: 1, slaves: ['bot-1', 'bot-2'] }
  assert.equal(await hooks.choose('chooseSlave', choice), undefined)
  hooks.tap('a', 'chooseSlave', () => undefined)
  hooks.tap('b', 'chooseSlave', async () => 'bot-2')
  hooks.tap('c', 'chooseSlave', () => assert.fail('asked after there was an answer'))
  assert.equal(await hooks.choose('chooseSlave', choice), 'bot-2')
})
