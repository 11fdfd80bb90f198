import { definePlugin } from 'boltbot/plugin-sdk'
import { joinPbPort } from '../../ports/pb/pb-port.ts'
import { type DebugPort, type DebugPortOptions, debugPortSchema } from './options.ts'
import { createDebugPerspective } from './perspective.ts'

export type { DebugPortOptions } from './options.ts'

/**
 * Acts of who runs the master, from elsewhere: `boltbot --master HOST:PORT reload`, `force`, `change` and `poke-irc`, and the debug tools of
 * Buildbot 0.7 and 0.8. The user is `debug`.
 *
 * @example plugins: [debugPort({ debugPassword: secret('debug') })]
 */
export const debugPort = definePlugin<'service', DebugPortOptions, DebugPort>({
  name: 'services/debug-port',
  kind: 'service',
  needs: ['force', 'changes', 'reconfigure', 'chat', 'secrets'],
  schema: debugPortSchema,
  apply() {},
  async start(host, { port, debugPassword }) {
    await joinPbPort(host, port, {
      kind: 'debug',
      users: [USER],
      password: (user) => (user === USER ? host.secrets.resolve(debugPassword) : undefined),
      async enter(session) {
        host.log.warn('somebody is on the debug port', { peer: session.peer })
        return createDebugPerspective(host, session)
      },
    })
  },
})

const USER = 'debug'
