import { randomInt } from 'node:crypto'
import { formatDuration, type Host, hasCode, messageOf } from 'boltbot/plugin-sdk'
import { type Bot, createBot } from './bot.ts'
import { ircLost } from './errors.ts'
import type { Network } from './options.ts'
import { openSession } from './session.ts'
import type { TransportOf } from './transport.ts'

/** The first wait before a new connection, ms; it doubles up to the longest. */
const FIRST_WAIT = 2000
const LONGEST_WAIT = 300_000
/** A refused login does not get better soon, and tries may be counted. */
const REFUSED_WAIT = 60_000
/** A connection that lived so long was a good one: the next wait is the first again. */
const GOOD_MS = 60_000

/** Keeps the bot on one network, for ever: until disposed there is always a connection, or a time at which the next is tried. */
export interface NetworkBot extends AsyncDisposable, Pick<Bot, 'seen' | 'mayKnow' | 'isSettled' | 'tell'> {
  /** How things are on this network, in a sentence; asks the server whether it answers. */
  report(): Promise<string>
}

export function superviseNetwork(host: Host, network: Network, isOnly: boolean, transport: TransportOf): NetworkBot {
  const { clock, log } = host
  const bot = createBot(host, network, isOnly)
  const stopping = new AbortController()
  let current: ReturnType<typeof openSession> | undefined
  let trouble = 'it is being connected'

  async function connectOnce(): Promise<Error> {
    const session = openSession({
      network,
      transport,
      clock,
      log,
      secret: (value) => host.secrets.resolve(value),
      prepare: (client, opened) => bot.attach(client, opened),
    })
    current = session
    session.ready.then(
      () => {
        log.info('on the network', { network: network.name, nick: session.client.user.nick })
        bot.enter(session.client, session)
      },
      () => {}, // it has ended: told below
    )
    const why = await session.ended
    bot.detach()
    session.client.removeAllListeners()
    return why
  }

  async function keep(): Promise<void> {
    await bot.open()
    let wait = FIRST_WAIT
    while (!stopping.signal.aborted) {
      const began = clock.now()
      const why = await connectOnce()
      if (stopping.signal.aborted) return
      if (clock.now() - began >= GOOD_MS) wait = FIRST_WAIT
      if (hasCode(why, 'BOLT_IRC_LOGIN')) wait = Math.max(wait, REFUSED_WAIT)
      // Between half and all of it, so that bots do not come back all at once.
      const jittered = Math.round(wait * (0.5 + randomInt(500) / 1000))
      const report = hasCode(why, 'BOLT_IRC_LOGIN') ? log.error : log.warn
      trouble = `${messageOf(why)} It is tried again within ${formatDuration(jittered)}.`
      report('not on the network', { network: network.name, why: messageOf(why), againMs: jittered })
      await clock.sleep(jittered, stopping.signal)
      wait = Math.min(LONGEST_WAIT, wait * 2)
    }
  }

  const done = keep().catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error('the bot gave up a network', { network: network.name, error })
  })
  return {
    seen: bot.seen,
    mayKnow: bot.mayKnow,
    isSettled: bot.isSettled,
    tell: bot.tell,
    async report() {
      const standing = bot.standing()
      if (standing === null || current === undefined) return `${network.name}: not there. ${trouble}`
      const took = await current.ping()
      const answer = took === null ? 'the server does not answer' : `the server answers in ${formatDuration(took)}`
      return `${network.name}: ${standing}; ${answer}.`
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(ircLost(network.name, 'the bot stops'))
      current?.close(ircLost(network.name, 'the bot stops'), 'The master stops.')
      await done
      bot[Symbol.dispose]()
    },
  }
}
