import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CommandResult, SlaveConnection } from 'boltbot/plugin-sdk'

const DONE: CommandResult = { exitCode: 0, signal: null, cause: 'exit', error: null, elapsed: 1, data: null }
const OUTPUT = Buffer.from('built\n')

/**
 * A slave in this process whose commands print one line and end at the next turn: what is left is the master. It remembers
 * nothing, so that it can be used for as many builds as one likes (the scripted slave of the SDK keeps all it was asked).
 */
export function createInstantSlave(name: string): SlaveConnection {
  const closed = Promise.withResolvers<string>()
  return {
    slave: name,
    peer: 'here',
    info: { admin: null, host: null, version: null, resumable: true },
    held: [],
    closed: closed.promise,
    lastHeard: () => Date.now(),
    ping: () => nextTurn(),
    setBuilders: async () => {},
    startBuild: () => nextTurn(),
    async run(_id, _builder, _command, io) {
      await io.output('stdio', 'stdout', 0, OUTPUT)
      return nextTurn(DONE)
    },
    resume: () => Promise.reject(new Error('An instant slave never loses its link.')),
    forget() {},
    interrupt() {},
    async shutdown() {},
    close: (reason) => closed.resolve(reason),
  }
}
