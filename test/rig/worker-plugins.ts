// Plugins that tests run in workers: a worker imports this file.
import assert from 'node:assert/strict'
import { getPriority } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CiError, type Clock, definePlugin, type Host } from 'boltbot/plugin-sdk'

const MISDEEDS = [
  'throw',
  'reject',
  'hang',
  'spin',
  'block',
  'leak',
  'leakBuffers',
  'hoard',
  'grab',
  'exit',
  'flood',
  'shout',
  'timers',
] as const

export interface WorkerOptions {
  /** What to do on `buildFinished` of this builder. */
  readonly on?: Readonly<Record<string, (typeof MISDEEDS)[number]>>
}

const EVERYTHING = [
  'changes',
  'state',
  'secrets:known',
  'http',
  'pollers',
  'chat',
  'carriers',
  'people',
  'force',
] as const

/** Notes each build in its state, and misbehaves for some. */
export const misbehaving = definePlugin({
  name: 'misbehaving',
  kind: 'service',
  needs: ['changes', 'state'],
  apply(host, { on = {} }: WorkerOptions) {
    host.tap('buildFinished', async ({ eventId, builder }, { signal }) => {
      await misbehave(on[builder], signal, host)
      await host.state.set(`told ${eventId}`, builder)
    })
  },
})

export const misbehavingDurably = definePlugin({
  name: 'misbehaving-durably',
  kind: 'service',
  durable: true,
  needs: EVERYTHING,
  apply(host, { on = {} }: WorkerOptions) {
    host.tap('buildFinished', async ({ eventId, builder }, { signal }) => {
      // The second time it is better behaved: as a plugin that met a bad moment.
      const isFirst = (await host.state.get(`met ${eventId}`)) === undefined
      await host.state.set(`met ${eventId}`, builder)
      if (isFirst) await misbehave(on[builder], signal, host)
      await host.state.set(`told ${eventId}`, builder)
    })
  },
})

const kept: unknown[] = []

/** Says something without end, and never lets go of its thread. */
function shout(clock: Clock): never {
  const open: Disposable[] = []
  for (;;) {
    open.push(clock.timer(1e9, () => {}))
    if (open.length > 8000) open.shift()![Symbol.dispose]()
  }
}

type Misdeed = (typeof MISDEEDS)[number]
type Means = Pick<Host, 'clock' | 'submitChange'>

async function misbehave(how: Misdeed | undefined, signal: AbortSignal, host: Means): Promise<void> {
  switch (how) {
    case 'throw':
      throw new Error('not today')
    case 'reject':
      return Promise.reject(new CiError({ code: 'LAMP_OUT', message: 'The lamp is out.', hint: 'Change it.' }))
    case 'hang':
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    case 'spin':
      for (;;) kept.length = 0
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      return
    case 'grab':
      // In one piece: the engine looks at nothing while it reads, so a limit of its own that is met here ends the process.
      for (;;) kept.push(JSON.parse(`[${'[1,2,3],'.repeat(1_500_000)}1]`))
    case 'leak':
      for (;;) {
        kept.push(new Array(10_000).fill(kept.length))
        if (kept.length % 100 === 0) await nextTurn()
      }
    case 'leakBuffers':
      for (let i = 0; i < 500; i++) {
        kept.push(Buffer.alloc(1024 * 1024, 1))
        await nextTurn()
      }
      return new Promise(() => {})
    case 'hoard':
      for (;;) kept.push(Buffer.alloc(64 * 1024, 1))
    case 'exit':
      return process.exit(3)
    case 'flood':
      for (;;) await host.submitChange({ who: 'flood', files: [], comments: 'again' })
    case 'shout':
      return shout(host.clock)
    case 'timers':
      for (;;) host.clock.timer(1e9, () => {})
  }
}

/** Uses every member of the host that there is in a worker. */
export const busy = definePlugin({
  name: 'busy',
  kind: 'service',
  needs: EVERYTHING,
  apply(host) {
    host.registerPoller({
      name: 'p',
      interval: '1m',
      async poll() {
        await host.submitChange({ who: 'jane', files: [], comments: 'from a worker' })
      },
    })
    host.registerChatCommand({
      name: 'echo',
      usage: '',
      summary: 'says it again',
      example: 'echo hello',
      run({ words, reply }) {
        reply('first')
        return words.join(' ')
      },
    })
    host.registerCarrier({
      scheme: 'lamp',
      addressOf: async (who) => `${who}@lamp`,
      deliver: async ({ address }) => ({ status: 'refused', reason: `no ${address}` }),
    })
    host.http.route('POST', '/echo/:word', (request) => ({
      headers: { 'x-word': request.params.word! },
      body: `${request.text()} ${request.query.get('q')}`,
    }))
    host.http.route('GET', '/stream', () => ({ body: numbers() }))
    host.tap('refineChange', (change) => ({ ...change, branch: 'refined' }))
    host.tap('guardAction', ({ who }) => {
      if (who !== 'jane') throw new CiError({ code: 'LAMP_NO', message: 'Only Jane.', hint: 'Be Jane.' })
    })
    host.tap('chooseSlave', ({ slaves }) => slaves.at(-1))
    host.tap('buildFinished', async () => {
      const { name } = host.query.project()
      const secret = host.secrets.resolve({ kind: 'secret', name: 'known' })
      const builds = await host.query.builds()
      const refused = await host.force({ builder: 'x', who: 'x', reason: 'x' }).catch((error) => error.code)
      host.log.info('asked', {
        name,
        secret,
        builds: builds.length,
        refused,
        url: host.http.url(),
        now: host.clock.now(),
      })
      await host.clock.sleep(20_000)
      host.log.child({ deep: true }).warn('slept', { error: new Error('as a field') })
    })
  },
  start(host) {
    return { [Symbol.dispose]: () => host.log.info('closed', { aborted: host.signal.aborted }) }
  },
})

async function* numbers() {
  yield 'one '
  yield 'two'
}

export const guarding = definePlugin({
  name: 'guarding',
  kind: 'service',
  apply(host) {
    host.tap('guardAction', () => {})
    host.tap('refineChange', (change) => ({ ...change, branch: 'refined' }))
    host.tap('buildFinished', () => process.exit(3))
  },
})

export const modest = definePlugin({
  name: 'modest',
  kind: 'service',
  apply(host) {
    host.tap('buildFinished', () => host.log.info('priority', { priority: getPriority(0) }))
  },
})

export const poor = definePlugin({
  name: 'poor',
  kind: 'service',
  apply(host) {
    host.tap('buildFinished', () => void host.state)
  },
})

export const sharing = definePlugin({
  name: 'sharing',
  kind: 'service',
  apply() {},
  start: (host) => host.share('x', () => ({ [Symbol.dispose]() {} })),
})

// Not exported, so no worker can find it.
const hidden = definePlugin({ name: 'hidden', kind: 'service', apply() {} })
export const instances = { hidden }

const cycle: unknown[] = []
cycle.push(cycle)
class Lamp {
  lit = true
}

/** Tries to store what would not come back as it was, and logs what it was told. */
export const careless = definePlugin({
  name: 'careless',
  kind: 'service',
  needs: ['state'],
  apply() {},
  async start(host) {
    const values = {
      undefined,
      function: () => 1,
      cycle,
      bigint: 1n,
      date: new Date(0),
      NaN,
      map: new Map(),
      class: new Lamp(),
    }
    for (const [key, value] of Object.entries(values))
      for (const given of [value, { deep: [value] }]) {
        const error: CiError = await host.state.set(key, given as never).then(
          () => assert.fail(`${key} was stored`),
          (error) => error,
        )
        const { code, message } = error
        host.log.info('refused', { code, message })
      }
    await host.state.set('good', { deep: [1, null, 'a'] })
  },
})
