import type { Clock, Log, SecretRef } from 'boltbot/plugin-sdk'
import { type Client, createClient } from './client.ts'
import { ircLoginRefused, ircLost, ircNoNick, ircSilent } from './errors.ts'
import { createLogin } from './login.ts'
import type { Network } from './options.ts'
import type { TransportOf } from './transport.ts'

/** One connection to a network: from the socket to its end. It is registered, and logged in if it should be, or it ends. */
export interface Session {
  readonly client: Client
  /** Resolves when it is registered and identified; rejects when it ends before. */
  readonly ready: Promise<void>
  /** Resolves with why, when it has ended. */
  readonly ended: Promise<Error>
  raw(...words: (string | number)[]): void
  /** The account it is logged in to; `undefined`: none. */
  account(): string | undefined
  /** Of the server, DER; `undefined`: the connection is not encrypted. */
  certificate(): Uint8Array | undefined
  /** Milliseconds until the server answered; `null`: not within 10 s. */
  ping(): Promise<number | null>
  close(why: Error, farewell?: string): void
}

export interface SessionDeps {
  readonly network: Network
  readonly transport: TransportOf
  readonly clock: Clock
  readonly log: Log
  readonly secret: (value: string | SecretRef) => string
  /** Called with the client before anything is sent. */
  readonly prepare: (client: Client, session: Session) => void
}

interface Transport {
  close(force: boolean): void
  certificate?(): Uint8Array | undefined
  once(event: 'close', listener: () => void): unknown
}

/** From the socket to the welcome: slow networks look up hosts first. */
const REGISTER_MS = 60_000
const PING_AFTER_MS = 60_000
const SILENT_MS = 120_000
const PONG_MS = 10_000

export function openSession({ network, transport, clock, log, secret, prepare }: SessionDeps): Session {
  const { name, sasl } = network
  const client = createClient()
  const ended = Promise.withResolvers<Error>()
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {}) // its end is told by `ended` as well
  const timers = new DisposableStack()
  let heardAt = clock.now()
  let isOver = false
  let registered = false
  let tries = 0
  let account: string | undefined
  let watchdog: Disposable | undefined
  timers.defer(() => watchdog?.[Symbol.dispose]())

  const over = (why: Error) => {
    if (isOver) return
    isOver = true
    timers.dispose()
    ready.reject(why)
    ended.resolve(why)
  }
  const raw: Session['raw'] = (...words) => {
    if (!isOver) client.raw(...words)
  }
  const session: Session = {
    client,
    ready: ready.promise,
    ended: ended.promise,
    raw,
    account: () => account,
    certificate: () => transportOf(client)?.certificate?.(),
    async ping() {
      const began = clock.now()
      const { promise, resolve } = Promise.withResolvers<number | null>()
      using _ = clock.timer(PONG_MS, () => resolve(null))
      client.on('pong', () => resolve(clock.now() - began))
      raw('PING', `test-${began}`)
      return await Promise.race([promise, ended.promise.then(() => null)])
    },
    close(why, farewell) {
      if (isOver) return
      if (farewell !== undefined && registered) client.raw('QUIT', farewell)
      over(why)
      end(farewell !== undefined)
    },
  }

  /** The line under way goes out first when the end is a polite one. */
  function end(polite: boolean): void {
    const transport = transportOf(client)
    transport?.close(!polite)
    if (!polite || transport === undefined) return
    const forced = clock.timer(1000, () => transport.close(true))
    transport.once('close', () => forced[Symbol.dispose]())
  }

  function watch(): void {
    watchdog = clock.timer(PING_AFTER_MS / 2, () => {
      const silence = clock.now() - heardAt
      if (silence >= SILENT_MS) return session.close(ircSilent(name, Math.round(silence / 1000)))
      if (silence >= PING_AFTER_MS && registered) raw('PING', `watchdog-${clock.now()}`)
      watch()
    })
  }

  /** After a nick that is taken: with another end, within the length that all servers take. */
  function otherNick(): void {
    if (registered) return // it was only tried to get the own one back
    if (++tries > 20) {
      session.close(ircNoNick(name, network.nick))
      return
    }
    const suffix = tries === 1 ? '_' : `_${tries}`
    raw('NICK', `${network.nick.slice(0, 16 - suffix.length)}${suffix}`)
  }

  client.on('raw', ({ from_server, line }) => {
    if (!from_server) return
    heardAt = clock.now()
    // The reason stands in the last line of a server that throws somebody out.
    const thrown = /^(?::\S+ )?ERROR :?(.*)$/.exec(line)?.[1]
    if (thrown !== undefined) over(ircLost(name, thrown))
  })
  client.on('loggedin', (event) => {
    account = event.account
  })
  client.on('nick in use', otherNick)
  client.on('nick invalid', otherNick)
  const login = createLogin({
    client,
    network,
    clock,
    log,
    secret,
    raw,
    refused: (why) => session.close(ircLoginRefused(name, why)),
    keep: (timer) => void timers.use(timer),
  })
  client.on('registered', () => {
    registered = true
    login.identify().then(ready.resolve, (error: Error) => session.close(error))
  })
  client.on('socket close', (failure) =>
    over(ircLost(name, failure instanceof Error ? failure.message : 'the server hung up')),
  )
  timers.use(
    clock.timer(REGISTER_MS, () => {
      if (!registered) session.close(ircSilent(name, REGISTER_MS / 1000))
    }),
  )
  watch()
  prepare(client, session)
  try {
    client.connect({
      host: network.host,
      port: network.port,
      transport: transport(network, { secret, log }),
      nick: network.nick,
      username: network.username,
      gecos: network.realname,
      ...(network.password !== undefined && { password: secret(network.password) }),
      account: typeof sasl === 'object' ? { account: sasl.account, password: secret(sasl.password) } : {},
      ...(sasl === 'external' && { sasl_mechanism: 'EXTERNAL' }),
      version: null,
      enable_chghost: true,
      // The supervisor and the watchdog are ours.
      auto_reconnect: false,
      ping_interval: 0,
      ping_timeout: 0,
    })
  } catch (error) {
    session.close(error instanceof Error ? error : ircLost(name, String(error)))
  }
  return session
}

/** The socket below; not in our types, as it is used here only. */
function transportOf(client: Client): Transport | undefined {
  const { connection } = client as unknown as { readonly connection?: { readonly transport?: Transport } }
  return connection?.transport
}
