import {
  builder,
  buildFactory,
  definePlugin,
  type Host,
  type Notice,
  type SlaveDoor,
  type SlaveOptions,
  slave,
} from 'boltbot/plugin-sdk'
import { createScriptedSlave, type ScriptedSlave, type ScriptedSlaveOptions, until } from 'boltbot/plugin-sdk/testing'
import type { MailServerOptions } from 'boltbot/plugins/status/mail'
import { each, sh } from '../../rig/parts.ts'
import type { RigOptions } from '../../rig/rig.ts'
import { createFastClock } from '../irc/fast-clock.ts'
import { type LiveMaster, startLiveMaster } from '../rig/live-master.ts'
import type { Arrived, MailPeer } from './servers.ts'

/** Minutes of the master are seconds of the test, and mail servers live in real time. */
const TIMES = 30

export interface Post extends AsyncDisposable {
  readonly live: LiveMaster
  /** A plugin that tells people things. */
  readonly teller: Host
  readonly bot: ScriptedSlave
  attach(): Promise<unknown>
  tell(key: string, over?: Partial<Notice>): Promise<unknown>
  /** The mails when so many have arrived, in the order of the outbox. */
  arrived(count: number): Promise<readonly Arrived[]>
  /** State, error and doubts of each message, by subject. */
  outbox(): Promise<readonly (readonly [string, string, number])[]>
}

export interface PostOptions extends Pick<RigOptions, 'status'> {
  readonly bot?: Partial<SlaveOptions>
  readonly answers?: ScriptedSlaveOptions['answers']
}

/** How to reach the server, with all it wants. */
export const loginTo = (server: MailPeer): MailServerOptions => ({
  fromaddr: 'Hello builds <ci@example.org>',
  relayhost: 'localhost',
  smtpPort: server.port,
  tls: 'starttls',
  tlsCa: server.certificate,
  smtpUser: 'robot',
  smtpPassword: 's3cret',
})

/** A whole master that mails to a real server. */
export async function startPost(server: MailPeer, { status, bot: more, answers = [] }: PostOptions): Promise<Post> {
  let teller: Host | undefined
  let door: SlaveDoor | undefined
  const tellerPlugin = definePlugin({
    name: 'teller',
    kind: 'service',
    needs: ['notify'],
    apply(host) {
      teller = host
    },
  })
  const doorPlugin = definePlugin({
    name: 'door',
    kind: 'slave',
    needs: ['slaves'],
    apply(host) {
      door = host.slaves
    },
  })
  const clock = createFastClock(TIMES)
  const live = await startLiveMaster(
    {
      projectName: 'Hello',
      transports: [doorPlugin()],
      plugins: [tellerPlugin()],
      slaves: [slave({ name: 'bot', password: 'x', ...more })],
      builders: [builder({ name: 'full', slaves: ['bot'], factory: buildFactory([sh({ command: 'make' })]) })],
      schedulers: [each({ builders: ['full'] })],
      outbox: { admins: ['root@example.org'], budget: false },
      ...(status && { status }),
    },
    { clock },
  )
  const bot = createScriptedSlave({ name: 'bot', clock, answers })
  const outbox = () => live.master.outbox.list({ limit: 1000 })
  return {
    live,
    teller: teller!,
    bot,
    attach: () => bot.attach(door!),
    tell: (key, over = {}) =>
      teller!.notify({ key, to: [mailTo('team')], subject: key, text: `about ${key}\n`, ...over }),
    arrived: (count) =>
      until(
        async () => {
          const mails = await server.mails()
          return mails.length >= count ? mails : undefined
        },
        { what: `${count} mails`, deadline: 40_000, seen: () => `${server.said()}\n${live.log.text()}` },
      ),
    outbox: async () => (await outbox()).map(({ subject, state, inDoubt }) => [subject, state, inDoubt] as const),
    [Symbol.asyncDispose]: () => live[Symbol.asyncDispose](),
  }
}

export const mailTo = (name: string) => ({ scheme: 'mail', address: `${name}@example.org` })
