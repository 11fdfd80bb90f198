import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { openDoor } from '../agent-door.ts'
import { createProcessEngine } from './engine.ts'

/** There are none: all is said in the `latent` of each slave. */
export type ProcessesOptions = Record<never, never>

/**
 * Latent slaves on the master's own machine: each instance is an agent in a process and a directory of its own, made when a build
 * needs it and removed with all it built when it has had nothing to do for a while.
 *
 * @example
 * const fresh = slave({ name: 'fresh', latent: { engine: 'slaves/process', buildWaitTimeout: '5m' } })
 * defineMaster({ projectName: 'Hello', transports: [processes()], slaves: [fresh], builders: [] })
 */
export const processes = definePlugin<'slave', ProcessesOptions, ProcessesOptions>({
  name: 'slaves/process',
  kind: 'slave',
  needs: ['slaves', 'directory'],
  hasEngine: true,
  schema: z.strictObject({}) as unknown as Schema<ProcessesOptions, ProcessesOptions>, // zod's type of no keys differs
  apply() {},
  async start(host): Promise<AsyncDisposable> {
    const directory = await host.directory()
    const door = await openDoor(host, directory, process.platform, (slave) => host.slaves.password(slave))
    const engine = createProcessEngine({ directory, url: door.url, clock: host.clock, log: host.log })
    const offered = host.slaves.registerEngine(engine)
    return {
      async [Symbol.asyncDispose]() {
        offered[Symbol.dispose]()
        engine[Symbol.dispose]()
        await door[Symbol.asyncDispose]()
      },
    }
  },
})
