import type { Socket } from 'node:net'
import { type Host, messageOf, type SharedContext } from 'boltbot/plugin-sdk'
import { unauthorized } from '../../../wire/pb/remote-error.ts'
import type { Referenceable } from '../../../wire/pb/values.ts'
import { addressText } from '../address.ts'
import { createLoginAttempts } from '../login-attempts.ts'
import type { Account, PbSession } from './account.ts'
import { certificatesDiffer, userTaken } from './errors.ts'
import type { PbAddress } from './pb-address.ts'
import { openLink, type PbLink } from './pb-link.ts'
import { createPbServer, listen } from './pb-server.ts'

/** A listening port of Perspective Broker. Plugins of several kinds let their users in; names tell them apart. */
export interface PbPort extends AsyncDisposable {
  /** The one that was opened, which matters when 0 was asked for. */
  readonly port: number
  /** As it was asked for first. */
  readonly address: PbAddress
  /** Lets users of this kind in. Disposing closes the links of those who are. @throws CiError `BOLT_PB_USER_TAKEN`. */
  add(account: Account): Disposable
}

const MAX_CONNECTIONS = 5000
/** When a master comes back all its workers do, at once. One that has not logged in may use little. */
const MAX_PENDING = 1000
const LOGIN_TIMEOUT_MS = 30_000
/** Failed logins and broken connections a minute and address. */
const MAX_FAILURES = 20

/**
 * The port at an address, opened for the first plugin that asks, and this account on it for as long as the plugin runs.
 * @throws CiError `BOLT_PB_LISTEN`, `BOLT_PB_CERTIFICATE`, `BOLT_PB_CERTIFICATES_DIFFER`, `BOLT_PB_USER_TAKEN`.
 */
export async function joinPbPort(host: Host, address: PbAddress, account: Account): Promise<PbPort> {
  const port = await host.share(`pb:${addressText(address)}`, (context) => openPbPort(address, context))
  if (!sameCertificate(port.address, address)) throw certificatesDiffer(addressText(address))
  host.own(port.add(account))
  return port
}

async function openPbPort(address: PbAddress, { log, clock }: SharedContext): Promise<PbPort> {
  const attempts = createLoginAttempts(clock, MAX_FAILURES)
  const accounts: Account[] = []
  const links = new Set<PbLink>()
  const sessions = new Map<PbSession, Account>()
  let pending = 0

  const server = await createPbServer(address, {
    accept,
    allowed: ({ remoteAddress }) => pending < MAX_PENDING && attempts.allowed(remoteAddress ?? ''),
    broken(socket, reason) {
      if (socket.remoteAddress === undefined) return // it is gone, and was perhaps only turned away
      attempts.failed(socket.remoteAddress)
      const peer = addressText({ host: socket.remoteAddress, port: socket.remotePort ?? 0 })
      log.warn('connection broke the protocol', { peer, reason })
    },
    handshakeTimeout: LOGIN_TIMEOUT_MS,
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', (dropped) => log.warn('too many connections', { peer: dropped?.remoteAddress }))

  function accept(socket: Socket): void {
    const from = socket.remoteAddress ?? ''
    const peer = addressText({ host: from, port: socket.remotePort ?? 0 })
    pending++
    let waiting = true
    const link = openLink(socket, {
      peer,
      clock,
      loginTimeout: LOGIN_TIMEOUT_MS,
      password: (user) => accountOf(user)?.password,
      enter,
      tooMany: () => !attempts.allowed(from),
      refused(user) {
        attempts.failed(from)
        const reason = accountOf(user) ? 'its password is wrong' : 'it may not log in here'
        log.warn('login refused', { peer, user: user.slice(0, 100), reason })
      },
      broken(reason) {
        attempts.failed(from)
        log.warn('connection broke the protocol', { peer, reason })
      },
      trouble: (method, error) => log.error('call failed', { peer, method, error }),
      settled() {
        if (waiting) pending--
        waiting = false
      },
    })
    links.add(link)
    void link.closed.then(() => links.delete(link))
  }

  /** A secret that cannot be read must not end the master: that login fails, and the log says why. */
  function accountOf(user: string): { readonly account: Account; readonly password: string } | undefined {
    for (const account of accounts)
      try {
        const password = account.password(user)
        if (password !== undefined) return { account, password }
      } catch (error) {
        log.error('password not found', { kind: account.kind, user: user.slice(0, 100), error: messageOf(error) })
      }
    return undefined
  }

  async function enter(session: PbSession): Promise<Referenceable> {
    const account = accountOf(session.user)?.account
    if (account === undefined) throw unauthorized()
    sessions.set(session, account)
    void session.closed.then(() => sessions.delete(session))
    return account.enter(session)
  }

  const port = await listen(server, address)
  log.info('listening', { port, address: addressText({ ...address, port }), tls: address.tls !== undefined })
  return {
    port,
    address,
    add(account) {
      const taken = account.users?.find((user) => accounts.some((other) => other.users?.includes(user)))
      if (taken !== undefined) throw userTaken(taken, addressText({ ...address, port }))
      accounts.push(account)
      // Users with a name of their own come before kinds that ask the config.
      accounts.sort((a, b) => Number(a.users === undefined) - Number(b.users === undefined))
      return {
        [Symbol.dispose]() {
          accounts.splice(accounts.indexOf(account), 1)
          for (const [session, owner] of sessions) if (owner === account) session.close('its plugin stops')
        },
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const link of links) link.close('the master stops')
      await closed
    },
  }
}

const sameCertificate = ({ tls: a }: PbAddress, { tls: b }: PbAddress) =>
  a?.certFile === b?.certFile && a?.keyFile === b?.keyFile
