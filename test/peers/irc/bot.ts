import { createTestHost, until } from 'boltbot/plugin-sdk/testing'
import { type IrcOptions, irc } from 'boltbot/plugins/status/irc'
import { createFastClock } from './fast-clock.ts'

/** So much faster the bot's clock goes. */
export const FAST = 20

/** The bot alone, on a clock that goes fast unless the test says otherwise; what it would tell is said by the test. */
export type Bot = Awaited<ReturnType<typeof startBot>>

export async function startBot(options: IrcOptions, times = FAST) {
  const host = createTestHost({
    irc: { jane: ['account:jane'], joe: ['account:joe'] },
    override: { clock: createFastClock(times) },
  })
  await host.run(irc({ nick: 'hellobot', channels: ['#hello'], tls: false, host: '127.0.0.1', ...options }))
  const place = (id: string) =>
    until(() => host.records.chatPlaces.find((one) => one.id.endsWith(id)), { what: `the place ${id}` })
  return {
    host,
    place,
    announce: async (text: string) => (await place('/#hello')).announce(text),
    stop: () => host.stop(),
    [Symbol.asyncDispose]: () => host.stop(),
  }
}
