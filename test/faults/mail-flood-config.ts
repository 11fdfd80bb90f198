/** A master that builds so many builds by itself, on slaves inside of it that answer at once, and mails about each. */
export const CONFIG = (smtpPort: number, builds: number) => `
import { builder, buildFactory, defineMaster, slave } from 'boltbot'
import { mailNotifier } from 'boltbot/plugins/status/mail'
import { shellCommand } from 'boltbot/plugins/steps'
import { flood, instantSlaves } from './flood.ts'

const names = ['bot-1', 'bot-2', 'bot-3', 'bot-4']
const slaves = names.map((name) => slave({ name, password: 'x', maxBuilds: 1 }))
const full = builder({
  name: 'full', slaves, mergeRequests: false,
  factory: buildFactory([shellCommand({ name: 'compile', command: ['make'] })]),
})
export default defineMaster({
  projectName: 'Hello',
  transports: [instantSlaves({ names })],
  slaves,
  builders: [full],
  schedulers: [flood({ name: 'flood', builders: ['full'], count: ${builds} })],
  // A retry here is no verdict on the code: the budget must not end it.
  maxTries: 1000,
  buildLease: '1s',
  outbox: { budget: false },
  status: [
    mailNotifier({ fromaddr: 'ci@example.org', relayhost: '127.0.0.1', smtpPort: ${smtpPort}, extraRecipients: ['crew@example.org'] }),
  ],
})
`

export const FLOOD = `
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { definePlugin } from 'boltbot/plugin-sdk'

/** Exactly so many buildsets, over all lives of the master, on branches in turn. */
export const flood = definePlugin({
  name: 'flood', kind: 'scheduler', needs: ['schedulers'], id: ({ name }) => name,
  apply(host, { name, builders, count }: { name: string; builders: string[]; count: number }) {
    host.registerScheduler({
      name, builders, initial: 0,
      decide(_, asked, now) {
        const more = Math.min(20, count - asked)
        const buildsets = Array.from({ length: more }, (_, i) => ({
          reason: 'flood', sourceStamp: { branch: 'b' + ((asked + i) % 7) },
        }))
        return { state: asked + more, buildsets, wakeAt: asked + more < count ? now + 100 : null }
      },
    })
  },
})

const OUTPUT = Buffer.from('make: *** [all] Error 1\\n')
let runs = 0

/** Slaves that fail two commands of three, and lose all with the master. */
export const instantSlaves = definePlugin({
  name: 'instant', kind: 'slave', needs: ['slaves'],
  apply() {},
  async start(host, { names }: { names: string[] }) {
    for (const slave of names) {
      const { promise: closed, resolve: close } = Promise.withResolvers<string>()
      await host.slaves.attach({
        slave, peer: 'here',
        info: { admin: null, host: null, version: null, resumable: true, instance: randomUUID() },
        held: [],
        closed, close,
        lastHeard: () => Date.now(),
        ping: () => nextTurn(),
        setBuilders: async () => {},
        startBuild: () => nextTurn(),
        async run(_id, _builder, _command, io) {
          await io.output('stdio', 'stdout', 0, OUTPUT)
          const exitCode = runs++ % 3 === 0 ? 0 : 1
          return nextTurn({ exitCode, signal: null, cause: 'exit', error: null, elapsed: 1, data: null })
        },
        resume: () => Promise.reject(new Error('It holds nothing.')),
        forget() {}, interrupt() {}, async shutdown() {},
      })
    }
  },
})
`
