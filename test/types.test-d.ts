import {
  builder,
  buildFactory,
  defineMaster,
  definePlugin,
  type Host,
  interpolate,
  masterLock,
  type PluginInstance,
  slave,
} from 'boltbot/plugin-sdk'
import { scheduler } from 'boltbot/plugins/schedulers'
import { shellCommand } from 'boltbot/plugins/steps'
import { git } from 'boltbot/plugins/vc/git'
import { z } from 'zod'

const linux = slave({ name: 'bot-linux' })
const bsd = slave({ name: 'bot-bsd' })
const full = builder({ name: 'full', slaves: [linux, bsd], factory: buildFactory([]) })
declare const t: PluginInstance<'slave'>

const lamp = definePlugin({
  name: 'lamp',
  kind: 'status',
  durable: true,
  apply(host, options: { url: string }) {
    host.tap('buildFinished', async ({ eventId, builder, result }, { signal }) => {
      await fetch(options.url, {
        method: 'POST',
        signal,
        headers: { 'idempotency-key': `${eventId}` },
        body: JSON.stringify({ builder, lit: result === 'failure' }),
      })
    })
  },
})
defineMaster({
  projectName: 'x',
  transports: [t],
  slaves: [linux, bsd],
  builders: [full],
  status: [lamp({ url: 'x' })],
})
// @ts-expect-error a builder names a slave that is not declared
defineMaster({ projectName: 'x', transports: [t], slaves: [linux], builders: [full] })
// @ts-expect-error a misspelt option
lamp({ ulr: 'x' })
// @ts-expect-error a missing option
lamp()
// @ts-expect-error a status target among the transports
defineMaster({ projectName: 'x', transports: [lamp({ url: 'x' })], slaves: [linux, bsd], builders: [full] })

// Steps, locks, hooks and schedulers.
const base = { projectName: 'x', transports: [t], slaves: [linux, bsd], builders: [full] } as const
const compile = shellCommand({ command: ['make', interpolate`O=${'buildername'}`], haltOnFailure: true })
buildFactory([compile, git({ repourl: 'https://git.example.org/hello.git', mode: 'copy' })])
// @ts-expect-error a command is needed
shellCommand({ workdir: 'build' })
// @ts-expect-error a flag that does not exist
shellCommand({ command: 'make', haltOnFail: true })
// @ts-expect-error a mode that does not exist
git({ repourl: 'https://git.example.org/hello.git', mode: 'sideways' })
// @ts-expect-error a mode of locks that does not exist
masterLock('database').access('shared')
// @ts-expect-error a step is not a factory
builder({ name: 'odd', slaves: [linux], factory: compile })
// @ts-expect-error properties are JSON
slave({ name: 'bot', properties: { when: new Date() } })
// @ts-expect-error a scheduler among the status targets
defineMaster({ ...base, status: [scheduler({ name: 'tests', branch: 'main', builders: [full] })] })

definePlugin({
  name: 'taps',
  kind: 'service',
  apply(host) {
    // @ts-expect-error a hook that does not exist
    host.tap('buildEnded', () => {})
    // @ts-expect-error a field that the event does not have
    host.tap('buildFinished', ({ outcome }) => console.log(outcome))
    // @ts-expect-error a choice of the wrong type
    host.tap('chooseSlave', () => 7)
    // @ts-expect-error a guard gives nothing
    host.tap('guardAction', () => 'no')
    // @ts-expect-error events are readonly
    host.tap('changeAccepted', ({ change }) => void (change.branch = 'main'))
  },
})

// A plugin has of the host what it says it needs.
const change = { who: 'jane', files: [], comments: 'x' }
const order = { builder: 'full', who: 'jane', reason: 'x' }
const takesAny = async (host: Host) => host.query.project()
definePlugin({
  name: 'gate',
  kind: 'service',
  needs: ['force', 'secrets:smtp', 'people'],
  apply(host, options: { readonly port: number }) {
    host.tap('buildFinished', async ({ builder }, { signal }) => {
      await host.force({ ...order, builder })
      signal.throwIfAborted()
    })
    // @ts-expect-error it does not say that it needs `changes`
    host.submitChange(change)
    // @ts-expect-error it does not say that it needs `http`
    host.http.route('GET', '/', () => ({ status: options.port }))
    host.http.url()
  },
  async start(host, { port }) {
    host.secrets.resolve(await host.people.mailAddress(`${port}`).then(String))
    await takesAny(host)
    // @ts-expect-error it does not say that it needs `state`
    await host.state.get('x')
    host.own({ [Symbol.dispose]() {} })
  },
})
// The state of a scheduler is what its first one is an example of, and JSON.
definePlugin({
  name: 'counting',
  kind: 'scheduler',
  needs: ['schedulers'],
  apply(host) {
    const rules = { name: 'counting', builders: ['full'] }
    host.registerScheduler({ ...rules, initial: 0, decide: (_, state) => ({ state: state + 1 }) })
    host.registerScheduler({ ...rules, initial: { done: [1] }, decide: (_, { done }) => ({ state: { done } }) })
    // @ts-expect-error it would not be what was stored
    host.registerScheduler({ ...rules, initial: { at: new Date(0) }, decide: (_, state) => ({ state }) })
    // @ts-expect-error a number was the first
    host.registerScheduler({ ...rules, initial: 0, decide: () => ({ state: 'one' }) })
  },
})
// Also where the needs come last, beside a schema, and as a constant.
const FORCES = ['force'] as const
definePlugin({
  name: 'schemed',
  kind: 'service',
  schema: z.strictObject({ port: z.number() }),
  apply(host, { port }) {
    void host.force({ ...order, priority: port })
    // @ts-expect-error it does not say that it needs `stop`
    void host.stop({ build: 1, who: 'jane', reason: 'x' })
  },
  needs: FORCES,
})
definePlugin({
  name: 'with pages',
  kind: 'service',
  needs: ['http'],
  apply: (host) => host.http.route('GET', '/', () => ({ status: 204 })),
})
definePlugin({
  name: 'nothing',
  kind: 'service',
  needs: [],
  // @ts-expect-error it says that it needs nothing
  apply: (host) => void host.force(order),
})
// One that does not say is not looked at before it runs.
definePlugin({ name: 'silent', kind: 'service', apply: (host) => void host.submitChange(change) })
// @ts-expect-error there is no such need
definePlugin({ name: 'odd', kind: 'service', needs: ['forces'], apply() {} })
