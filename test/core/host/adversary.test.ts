import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from 'boltbot/plugin-sdk'
import { packError } from '../../../core/host/worker/wire-error.ts'
import { createLog } from '../../../core/log.ts'
import { createPluginHostRig, tapping } from '../../rig/plugin-host-rig.ts'

const no = (): never => {
  throw new Error('do not look')
}
const hostile = { get: no, has: no, getPrototypeOf: no, ownKeys: no, getOwnPropertyDescriptor: no }
const round = new Error('round')
round.cause = round
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()

/** What a plugin may throw. */
const THROWN: Readonly<Record<string, unknown>> = {
  null: null,
  undefined: undefined,
  'a symbol': Symbol('x'),
  'a bigint': 5n,
  'a function': () => {},
  'an object without prototype': Object.create(null),
  'an object that cannot be text': { toString: no },
  'a revoked proxy': revoked,
  'a proxy that throws': new Proxy({}, hostile),
  'an error with getters that throw': Object.defineProperties(new Error('x'), {
    message: { get: no },
    name: { get: no },
    stack: { get: no },
    cause: { get: no },
    code: { get: no },
  }),
  'an error whose message is no text': Object.assign(new Error('x'), { message: { toString: no }, name: 5, stack: {} }),
  'a frozen error': Object.freeze(new Error('cold')),
  'an error with itself as its cause': round,
  'an error with a huge message': new Error('x'.repeat(5_000_000)),
  'an error of errors': new AggregateError([Object.create(null), round], 'many'),
}

const WAYS: Readonly<Record<string, (thrown: unknown) => unknown>> = {
  throws(thrown) {
    throw thrown
  },
  rejects: (thrown) => Promise.reject(thrown),
  'gives a thenable that rejects and then throws': (thrown) => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tried
    then(_: unknown, reject: (reason: unknown) => void) {
      reject(thrown)
      reject(thrown)
      throw thrown
    },
  }),
  'gives what throws when it is asked whether it is a thenable': (thrown) => ({
    // biome-ignore lint/suspicious/noThenProperty: as above
    get then() {
      throw thrown
    },
  }),
}

for (const [how, act] of Object.entries(WAYS)) {
  test(`a tap that ${how} is counted whatever the thing is, logged by its plugin, and keeps nobody else from the event`, async (t) => {
    const stray: unknown[] = []
    const note = (error: unknown) => void stray.push(error)
    process.on('uncaughtException', note)
    process.on('unhandledRejection', note)
    t.after(() => {
      process.off('uncaughtException', note)
      process.off('unhandledRejection', note)
    })
    for (const [what, thrown] of Object.entries(THROWN)) {
      const lines: string[] = []
      const log = createLog({
        write: (line) => void lines.push(line),
        format: 'json',
        level: 'debug',
        redact: (line) => line,
        clock: { now: () => 0 },
      })
      const rig = createPluginHostRig({}, log)
      let told = 0
      await rig.host.start([
        tapping('bad', 'buildFinished', () => act(thrown) as undefined),
        tapping('good', 'buildFinished', () => void told++),
      ])
      rig.commit('buildFinished')
      rig.commit('buildFinished')
      for (let turn = 0; turn < 20; turn++) await nextTurn()
      assert.deepEqual([told, rig.host.status()[0]!.errors, stray], [2, 2, []], what)
      const failures = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'tap failed')
      assert.deepEqual(
        failures.map(({ plugin }) => plugin),
        ['bad', 'bad'],
        what,
      )
      assert.ok(
        lines.every((line) => line.length < 50_000),
        `${what}: a line that is too long`,
      )
      assert.equal(typeof messageOf(thrown), 'string')
      structuredClone(packError(thrown)) // it can go between threads
      await rig.host.stop()
    }
  })
}
