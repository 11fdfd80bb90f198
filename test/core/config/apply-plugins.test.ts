import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkInFreshProcess, type EvaluationOptions } from '../../../core/config/evaluate.ts'
import { formatProblems } from '../../../core/config/problem.ts'
import { type ConfigFolder, createConfigFolder, PLUGINS } from '../../rig/config-folder.ts'

/** What the check tells of a config with these plugins, whose definitions stand in `own.ts`: lines as checkconfig prints them. */
async function toldOf(folder: ConfigFolder, own: string, uses: string, options?: EvaluationOptions): Promise<string[]> {
  await folder.write('plugins.ts', PLUGINS)
  await folder.write('own.ts', `import { definePlugin, secret } from 'boltbot/plugin-sdk'\n${own}`)
  const file = await folder.write(
    'master.cfg.ts',
    `import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import * as own from './own.ts'
import { local, step } from './plugins.ts'
export default defineMaster({
  projectName: 'Hello', projectURL: 'https://hello.example.org/', buildbotURL: 'https://ci.example.org', http: { port: 8010 },
  transports: [local()], slaves: [slave({ name: 'bot', password: 'pw' })],
  builders: [builder({ name: 'full', slaves: ['bot'], factory: buildFactory([step()]) })],
  plugins: [
${uses}
  ],
})
`,
  )
  const { problems } = await checkInFreshProcess(file, options)
  return problems.length === 0 ? [] : formatProblems(problems, folder.path).split('\n')
}

test('the mistakes of all plugins in apply are told at once, each at its place', async () => {
  await using folder = await createConfigFolder()
  await mkdir(join(folder.path, 'node_modules/far'))
  await folder.write('node_modules/far/package.json', '{ "type": "module", "exports": "./index.js" }')
  await folder.write('node_modules/far/index.js', `export const work = () => { throw new Error('too far') }`)
  const own = `import { work } from 'far'
export const lamp = definePlugin({
  name: 'lamp', kind: 'status', id: ({ how }: { how: string }) => how,
  apply(host, { how }) {
    if (how === 'hook') host.tap('buildFinish' as never, () => {})
    if (how === 'tap') host.tap('buildFinished', 'no function' as never)
    if (how === 'needs') (host as any).state.get('x')
    if (how === 'throw') switchOn()
    if (how === 'far') [1].forEach(() => work())
    if (how === 'async') return Promise.reject(new Error('nobody hears it')) as never
  },
})
const switchOn = () => { throw new Error('no bulb') }
export const nights = definePlugin({
  name: 'nights', kind: 'scheduler', needs: ['schedulers'],
  apply(host) { host.registerScheduler({ name: 'nights', builders: ['full'], initial: 0 } as never) },
})
export const apart = definePlugin({
  name: 'apart', kind: 'service', isolation: 'worker',
  apply(host) { host.tap('buildFinished', () => {}, { stage: 'late' as never }) },
})
export const broken = definePlugin({ name: 'broken', kind: 'service', apply() { throw 'no error at all' } })
export const good = definePlugin({ name: 'good', kind: 'service', apply(host) { host.tap('buildFinished', () => {}) } })
`
  const hows = ['hook', 'tap', 'needs', 'throw', 'far', 'async'].map((how) => `own.lamp({ how: '${how}' }),`)
  assert.deepEqual(
    await toldOf(folder, own, [...hows, 'own.nights(), own.apart(),', 'own.broken(), own.good(),'].join('\n')),
    [
      'master.cfg.ts:14:10: plugins[5] "async": Plugin "async" has an async apply, which must be synchronous. Tap and register in apply; wait for things in start.',
      'master.cfg.ts:16:5: plugins[8] "broken": Plugin "broken" failed in apply: no error at all.',
      'own.ts:6:30: plugins[0] "hook": Plugin "hook" taps "buildFinish", which is no hook. Did you mean "buildFinished"?',
      `own.ts:7:29: plugins[1] "tap": Plugin "tap" taps "buildFinished" with no function. Write host.tap('buildFinished', (event) => …, { stage: 0 }).`,
      `own.ts:8:40: plugins[2] "needs": Plugin "needs" uses host.state, which its definition does not say it needs. Add to its definition: needs: ['state'],`,
      'own.ts:10:42: plugins[4] "far": Plugin "far" failed in apply: too far.',
      'own.ts:14:32: plugins[3] "throw": Plugin "throw" failed in apply: no bulb.',
      'own.ts:17:22: plugins[6] "nights": Plugin "nights" registers a scheduler "nights" that has no function decide. Give registerScheduler name, builders, initial (the first state, JSON) and decide.',
      `own.ts:21:22: plugins[7] "apart": Plugin "apart" taps "buildFinished" with a stage that is no number. Write host.tap('buildFinished', (event) => …, { stage: 0 }).`,
    ],
  )
})

test('a plugin that uses all of the host in apply is good, and is told what the config knows', async () => {
  await using folder = await createConfigFolder()
  const own = `
import assert from 'node:assert/strict'
import { NEEDS } from 'boltbot/plugin-sdk'
export const curious = definePlugin({
  name: 'curious', kind: 'service', needs: Object.keys(NEEDS) as never, id: (_: { isolation?: 'worker', id?: string }) => 'curious',
  apply(given) {
    const host = given as any
    assert.equal(host.id, 'curious')
    assert.ok(Math.abs(host.clock.now() - Date.now()) < 60_000)
    assert.equal(host.signal.aborted, false)
    using timer = host.clock.timer(1, () => { throw new Error('nothing is due') })
    host.clock.sleep(1).then(() => { throw new Error('nor is this') })
    assert.deepEqual(host.query.project(), { name: 'Hello', url: 'https://hello.example.org/' })
    assert.equal(host.slaves.known('bot'), true)
    assert.equal(host.slaves.known('bat'), false)
    assert.equal(host.slaves.password('bot'), 'pw')
    assert.equal(host.slaves.password('bat'), undefined)
    assert.equal(host.http.url(), 'https://ci.example.org/')
    assert.equal(host.http.page('/builders'), null)
    assert.equal(host.secrets.resolve('plain'), 'plain')
    host.http.route('GET', '/curious', () => ({ body: 'yes' }))
    host.own({ [Symbol.dispose]() {} })
    const fail = () => { throw new Error('it was opened') }
    host.share('lamp', fail).then(fail, fail)
    host.openChat({ id: 'curious/1', via: 'curious', announce() {} }).hear({ speaker: { name: 'jane', who: 'jane' }, text: 'help', reply: fail })
    host.slaves.registerEngine({})[Symbol.dispose]()
    for (const asked of [
      host.directory(), host.state.get('x'), host.state.set('x', 1), host.query.builders(), host.query.logTail({}), host.pollSoon('r'),
      host.people.mailAddress('jane'), host.notify({}), host.submitChange({}), host.force({}), host.slaves.attach({}), host.reconfigure({}),
    ]) asked.then(fail, fail)
    host.registerPoller({ name: 'p', poll() {} })
    host.registerChatCommand({ name: 'lamp', usage: '', summary: '', example: '', run() {} })
    host.registerCarrier({ scheme: 'lamp', deliver() {} })
    host.registerScheduler({ name: 's', builders: ['full'], initial: 0, decide: () => ({ state: 0 }) })
    host.tap('guardAction', () => {})
    host.log.child({ a: 1 }).error('it is dark', { error: new Error('dark') })
    Promise.reject(new Error('left alone, as the running master lets it be'))
  },
})`
  assert.deepEqual(await toldOf(folder, own, 'own.curious({}),'), [])
})

test('who throws after an answer that was a guess is not refused for it, but for what no answer excuses', async () => {
  await using folder = await createConfigFolder()
  const own = `
export const lamp = definePlugin({
  name: 'lamp', kind: 'status', needs: ['secrets:lamp', 'http'], id: ({ ask }: { ask: string }) => ask,
  apply(host, { ask }) {
    const url = ask.startsWith('page') ? host.http.page('/lamp') : ask === 'url' ? host.http.url() : host.secrets.resolve(secret('lamp'))
    if (ask === 'page-hook') host.tap('lampLit' as never, () => {})
    if (ask === 'page-route') host.http.route('GET', \`\${url}\`, () => ({}))
    throw new Error(\`not with \${url}\`)
  },
})`
  const uses = ['page', 'url', 'secret', 'page-hook', 'page-route']
    .map((ask) => `own.lamp({ ask: '${ask}' }),`)
    .join('\n')
  const told = await toldOf(folder, own, uses)
  assert.equal(told.length, 1, told.join('\n'))
  assert.match(
    told[0]!,
    /^own\.ts:7:35: plugins\[3\] "page-hook": Plugin "page-hook" taps "lampLit", which is no hook\./,
  )
})

test('in a base directory apply is given the secrets there are, and none is shown', async () => {
  await using folder = await createConfigFolder()
  const own = `
export const lamp = definePlugin({
  name: 'lamp', kind: 'status', needs: ['secrets:lamp'],
  apply(host) {
    const key = host.secrets.resolve(secret('lamp'))
    if (key.length < 20) throw new Error(\`\${key} is too short\`)
  },
})`
  const use = () => toldOf(folder, own, 'own.lamp(),')
  assert.deepEqual(await use(), [])
  await mkdir(join(folder.path, 'secrets'))
  const [missing = '', ...more] = await use()
  assert.match(
    missing,
    /^own\.ts:6:30: plugins\[0\] "lamp": Plugin "lamp" failed in apply: The secret "lamp" is not there\. Write it into ".*\/secrets\/lamp"/,
  )
  assert.deepEqual(more, [])
  await writeFile(join(folder.path, 'secrets/lamp'), 'hush-hush', { mode: 0o600 })
  assert.deepEqual(await use(), ['own.ts:7:32: plugins[0] "lamp": Plugin "lamp" failed in apply: *** is too short.'])
  await writeFile(join(folder.path, 'secrets/lamp'), 'hush-hush-hush-hush-hush')
  assert.deepEqual(await use(), [])
})

test('an apply that never ends ends the check', async () => {
  await using folder = await createConfigFolder()
  const own = `export const loop = definePlugin({ name: 'loop', kind: 'status', apply() { for (;;) {} } })`
  assert.deepEqual(await toldOf(folder, own, 'own.loop(),', { deadlineMs: 2000 }), [
    'master.cfg.ts:1:1: evaluation: It was not read within 2s: something in it waits or loops.',
  ])
})
