import { definePlugin, type Host } from 'boltbot/plugin-sdk'
import { type Bots, createBots } from './bots.ts'
import { createCarrier } from './carrier.ts'
import { examineNetworks } from './doctor.ts'
import { type Bot, ircSchema } from './options.ts'
import { createStagedTransport } from './staged-transport.ts'
import { tellSubscribers } from './subscribers.ts'
import { type NetworkBot, superviseNetwork } from './supervisor.ts'
import { tellsOf } from './tells.ts'
import { reachNetwork, type TransportOf } from './transport.ts'

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
  durable: true,
  needs: ['carriers', 'chat', 'notify', 'people', 'secrets', 'state'],
  schema: ircSchema,
  claims: ({ networks }) =>
    networks.map(({ name }) => ({
      // Settings, accounts and channels that were joined by command are known by it.
      what: `the IRC network "${name}"`,
      hint: 'Put the channels of both into one plugin, or give one of the networks another name.',
    })),
  tells: tellsOf,
  doctor: examineNetworks,
  ...parts(reachNetwork),
  onStage: (stage) => parts((network) => createStagedTransport(stage, network.name)),
})

function parts(transport: TransportOf) {
  return {
    apply(host: Host, { awayMs }: Bot) {
      const life: Life = { own: [], all: undefined }
      lives.set(host, life)
      host.registerCarrier(createCarrier(host, () => life.all, awayMs))
      host.tap('buildFinished', (event) => tellSubscribers(host, event))
      host.registerChatCommand({
        name:
          host.id === NAME
            ? 'irc test'
            : `irc-test ${host.id
                .toLowerCase()
                .replace(/[^a-z0-9]+/g, '-')
                .replace(/^-|-$/g, '')}`,
        usage: '',
        summary: 'says of each IRC network whether the bot is there, and whether the server answers',
        example: 'irc test',
        run: () => Promise.all(life.own.map((bot) => bot.report())),
      })
    },
    /** Resolves soon: a network that is down must not keep the master from starting. */
    async start(host: Host, { networks }: Bot) {
      const life = lives.get(host)
      if (life === undefined) return
      const all = await host.share(NAME, createBots)
      life.all = all
      // Proofs without the name of a network hold only where there is one, so that nobody takes an account of another one.
      const isOnly = networks.length === 1 && host.id === NAME
      for (const network of networks) {
        const bot = host.own(superviseNetwork(host, network, isOnly, transport))
        host.own(all.add(bot))
        life.own.push(bot)
      }
    },
  }
}

/** From `apply` to `start`. */
interface Life {
  readonly own: NetworkBot[]
  /** Those of other IRC plugins too; `undefined` before the start. */
  all: Bots | undefined
}

const lives = new WeakMap<Host, Life>()
