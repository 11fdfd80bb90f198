import { connect } from 'node:net'
import { type Clock, messageOf } from 'boltbot/plugin-sdk'
import { createBroker } from '../../../wire/pb/broker.ts'
import { logIn, logInOld } from '../../../wire/pb/login.ts'
import { NO_SUCH_METHOD, RemoteError, UNAUTHORIZED } from '../../../wire/pb/remote-error.ts'
import { Referenceable, RemoteReference, Tuple, type Value } from '../../../wire/pb/values.ts'
import { daemonFailed, daemonLost, daemonUnreachable, loginRefused, otherLogin } from './errors.ts'
import type { FreshCvs } from './options.ts'

/** A link to a daemon that has logged in: from now on it tells of each commit. */
export interface DaemonLink {
  /** Resolves with why it ended; a CiError. */
  readonly ended: Promise<Error>
  /** Resolves when the daemon has answered something. Rejects when the link ends. */
  ask(): Promise<void>
  close(reason: string): void
}

export interface DaemonLinkDeps {
  readonly clock: Clock
  readonly password: string
  /** A commit; the daemon is answered when it resolves. */
  readonly notify: (args: readonly Value[]) => Promise<void>
  /** It says that it stops. */
  readonly goodbye: () => void
  /** Something came that is not understood. */
  readonly trouble: (error: unknown) => void
}

/** From the first byte to the end of the login. */
const LOGIN_MS = 30_000

/** @throws CiError `BOLT_FRESHCVS_UNREACHABLE`, `_REFUSED`, `_LOGIN`, `_FAILED`, `_LOST`. */
export async function openDaemonLink(
  options: FreshCvs,
  deps: DaemonLinkDeps,
  signal: AbortSignal,
): Promise<DaemonLink> {
  const { host, port, user, login } = options
  const daemon = `${host}:${port}`
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 })
  const ended = Promise.withResolvers<Error>()
  let connected = false

  const end = (error: Error) => {
    ended.resolve(error)
    broker.lost(error)
    socket.destroy()
  }
  const lose = (why: string) => end((connected ? daemonLost : daemonUnreachable)(daemon, why))
  const broker = createBroker({
    role: 'client',
    copies: () => true, // they are data, and which classes there are is up to the daemon
    send: (bytes) => void (socket.writable && socket.write(bytes)),
    broken: lose,
    trouble: (_method, error) => deps.trouble(error),
    // While changes cannot be stored no more are read: the daemon keeps them.
    congested: (much) => (much ? socket.pause() : socket.resume()),
  })
  broker.trust() // it is who we called
  socket.on('connect', () => {
    connected = true
  })
  socket.on('data', (bytes: Buffer) => broker.receive(bytes))
  socket.on('error', (error) => lose(messageOf(error)))
  socket.on('close', () => lose('it closed the link'))
  const aborted = () => lose('the master stops')
  signal.addEventListener('abort', aborted, { once: true })
  ended.promise.finally(() => signal.removeEventListener('abort', aborted))
  using _timer = deps.clock.timer(LOGIN_MS, () => lose(`it gave no answer within ${LOGIN_MS / 1000} s`))

  const mind = new Referenceable({
    async notify(args) {
      await deps.notify(args)
      return null
    },
    goodbye() {
      deps.goodbye()
      return null
    },
  })
  try {
    signal.throwIfAborted()
    if (login === 'new') await logIn(broker, user, deps.password, mind)
    else await logInOld(broker, { user, password: deps.password, service: options.serviceName, mind })
  } catch (error) {
    const told = explained(error, daemon, options)
    end(told)
    throw told
  }
  return {
    ended: ended.promise,
    async ask() {
      // A challenge costs the daemon nothing and stands in no log of its; it has no call that is meant for this.
      const given = await broker.root.call(login === 'new' ? 'login' : 'username', [Buffer.from(user)])
      const challenger = given instanceof Tuple ? given.items[1] : undefined
      if (challenger instanceof RemoteReference) broker.drop(challenger)
    },
    close: lose,
  }
}

/** What a login threw, in our words. */
function explained(error: unknown, daemon: string, { user, login }: FreshCvs): Error {
  if (!(error instanceof RemoteError)) return error instanceof Error ? error : daemonFailed(daemon, messageOf(error))
  if (error.is(UNAUTHORIZED) || OLD_REFUSALS.some((type) => error.is(type))) return loginRefused(daemon, user)
  return error.is(NO_SUCH_METHOD) || /^exceptions\.AttributeError$|NoSuchMethod/.test(error.failure.type)
    ? otherLogin(daemon, login)
    : daemonFailed(daemon, error.message.replace(/\.$/, ''))
}

/** As old Twisted calls them. */
const OLD_REFUSALS = [
  'twisted.cred.authorizer.UnauthorizedLogin',
  'twisted.cred.error.Unauthorized',
  'twisted.cred.error.KeyNotFound',
]
