import type { Clock, Log, SecretRef } from 'boltbot/plugin-sdk'
import type { Client } from './client.ts'
import type { Network } from './options.ts'

/** Who the bot is to the network, over one connection: by SASL while it registers, or by NickServ when it has. */
export interface Login {
  /** Call when the bot is registered. Resolves when it is known, or when that may take longer: then it goes on by itself. */
  identify(): Promise<void>
}

export interface LoginDeps {
  readonly client: Client
  readonly network: Pick<Network, 'name' | 'sasl' | 'nickserv'>
  readonly clock: Clock
  readonly log: Log
  readonly secret: (value: string | SecretRef) => string
  readonly raw: (...words: string[]) => void
  /** The login is wrong. */
  readonly refused: (why: string) => void
  /** Keeps a timer until the connection ends. */
  readonly keep: (timer: Disposable) => void
}

/** Services that are away say nothing. */
const IDENTIFY_MS = 10_000
/** Then they are asked again: after a minute, doubling to an hour, as tries may be counted. */
const AGAIN_MS = [60_000, 3_600_000] as const

export function createLogin({ client, network, clock, log, secret, raw, refused, keep }: LoginDeps): Login {
  const { name, sasl, nickserv } = network
  const known = Promise.withResolvers<void>()
  let isKnown = false
  let registered = false

  const nowKnown = (account?: string) => {
    if (registered && !isKnown) log.info('logged in', { network: name, ...(account !== undefined && { account }) })
    isKnown = true
    known.resolve()
  }
  client.on('loggedin', ({ account }) => nowKnown(account))
  client.on('raw', ({ from_server, line }) => {
    // SASL succeeded. Not every server says as whom, and irc-framework passes this on to nobody.
    if (from_server && /^(?:@\S+ )?:\S+ 903 /.test(line)) nowKnown()
  })
  client.on('sasl failed', ({ reason, message }) => {
    if (sasl === undefined) return
    // The server does not offer it: mostly its services are away, and come back.
    if (reason === 'capability_missing')
      log.warn('no login by SASL is offered, the bot goes on without', { network: name })
    else refused(message ?? reason)
  })
  client.on('cap ack', ({ capabilities }) => {
    // irc-framework logs in at the beginning only.
    if (registered && !isKnown && sasl !== undefined && 'sasl' in capabilities)
      raw('AUTHENTICATE', sasl === 'external' ? 'EXTERNAL' : 'PLAIN')
  })

  function ask(): void {
    // Taken by a server whose services are back; a server without them refuses it.
    if (sasl !== undefined) raw('CAP', 'REQ', 'sasl')
    if (nickserv === undefined) return
    const account = nickserv.account === undefined ? '' : `${nickserv.account} `
    raw('PRIVMSG', 'NickServ', `IDENTIFY ${account}${secret(nickserv.password)}`)
  }

  function askAgain(wait: number): void {
    keep(
      clock.timer(wait, () => {
        if (isKnown) return
        ask()
        askAgain(Math.min(wait * 2, AGAIN_MS[1]))
      }),
    )
  }

  return {
    async identify() {
      registered = true
      if (isKnown || (sasl === undefined && nickserv === undefined)) return
      ask()
      askAgain(AGAIN_MS[0])
      using _ = clock.timer(IDENTIFY_MS, () => {
        log.warn('services do not say who the bot is, they are asked again', { network: name })
        known.resolve()
      })
      await known.promise
    },
  }
}
