import { definePlugin } from 'boltbot/plugin-sdk'
import { ircSchema } from './options.ts'
import { superviseNetwork } from './supervisor.ts'

export type { IrcChannel, IrcNetwork, IrcOptions, IrcTelling } from './options.ts'

const NAME = 'status/irc'

/**
 * The chat bot on IRC. It answers where it is spoken to (`nick: command`, or in private) and tells news; who may do what says `access`
 * of the config.
 * @example
 * irc({ host: 'irc.example.org', nick: 'hellobot', sasl: { account: 'hellobot', password: secret('irc') },
 *   channels: ['#hello'], notify: ['problem', 'recovery'] })
 */
export const irc = definePlugin({
  name: NAME,
  kind: 'status',
  schema: ircSchema,
  apply() {},
  /** Returns at once: a network that is down must not keep the master from starting. */
  start(host, { networks }) {
    // Proofs without the name of a network hold only where there is one, so that nobody takes an account of another one.
    const isOnly = networks.length === 1 && host.id === NAME
    for (const network of networks) host.own(superviseNetwork(host, network, isOnly))
  },
})
