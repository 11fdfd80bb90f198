import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { messageOf } from 'boltbot/plugin-sdk'
import { createBroker } from '../../wire/pb/broker.ts'
import { logIn } from '../../wire/pb/login.ts'
import { RemoteError, UNAUTHORIZED } from '../../wire/pb/remote-error.ts'
import type { Referenceable, RemoteReference } from '../../wire/pb/values.ts'
import { badArgument, pbFailed, pbLost, pbRefused, pbUnreachable } from './errors.ts'

/** A login at a master over Perspective Broker: one of ours, or a Buildbot. */
export interface PbClient extends Disposable {
  readonly perspective: RemoteReference
  /** Rejects when the link is lost. */
  readonly lost: Promise<never>
  /** An object of the master is not needed any more: it is told so. */
  drop(reference: RemoteReference): void
}

export interface PbLogin {
  /** `host:port`; `tls:host:port` when it has a certificate. */
  readonly master: string
  readonly user: string
  readonly password: string
  readonly mind?: Referenceable
  /** Ends it, and what was called. */
  readonly signal?: AbortSignal
  /** Bytes of the longest string it is known to take; default 640 KiB, as Buildbot's. */
  readonly longest?: number
}

const CONNECT_MS = 30_000

/** @throws CiError `BOLT_CLI_PB_UNREACHABLE`, `BOLT_CLI_PB_REFUSED`, `BOLT_CLI_PB_LOST`. */
export async function connectPb({ master, user, password, mind, longest, signal }: PbLogin): Promise<PbClient> {
  const socket = open(master)
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {}) // who does not wait for it has the error of a call
  let connected = false
  const fail = (error: Error) => {
    broker.lost(error)
    lost.reject(error)
    socket.destroy()
  }
  const broker = createBroker({
    role: 'client',
    ...(longest !== undefined && { longest }),
    send(bytes) {
      socket.write(bytes)
      return socket.writableLength === 0
    },
    broken: (reason) => fail(pbLost(master, reason)),
    trouble: () => {}, // the other end is told
  })
  const abort = () => fail((connected ? pbLost : pbUnreachable)(master, 'it does not answer in time'))
  signal?.addEventListener('abort', abort, { once: true })
  socket.on(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
    connected = true
    socket.setTimeout(0)
    socket.setKeepAlive(true)
  })
  socket.on('timeout', () => fail(pbUnreachable(master, `it does not answer within ${CONNECT_MS / 1000} s`)))
  socket.on('data', (bytes) => broker.receive(bytes as Buffer)) // no encoding was set
  socket.on('error', (error) => fail((connected ? pbLost : pbUnreachable)(master, messageOf(error))))
  socket.on('close', () => {
    signal?.removeEventListener('abort', abort)
    fail(pbLost(master, 'it closed the connection'))
  })
  try {
    const perspective = await logIn(broker, user, password, mind)
    return { perspective, lost: lost.promise, drop: broker.drop, [Symbol.dispose]: () => void socket.destroySoon() }
  } catch (error) {
    socket.destroy()
    throw error instanceof RemoteError && error.is(UNAUTHORIZED)
      ? pbRefused(master, user)
      : remoteProblem(master, error)
  }
}

/** A certificate is checked: by public authorities, and by those of the file in `NODE_EXTRA_CA_CERTS`. */
function open(master: string): Socket {
  const plain = master.replace(/^(tls|ssl):/, '')
  const options = { ...addressOf(plain), noDelay: true, timeout: CONNECT_MS }
  return plain === master ? connect(options) : connectTls({ ...options, servername: nameOf(options.host) })
}

/** Addresses are no names to ask for. */
const nameOf = (host: string) => (isIP(host) === 0 ? host : '')

/** What a call of the perspective threw, in our words. */
export function remoteProblem(master: string, error: unknown): unknown {
  return error instanceof RemoteError ? pbFailed(master, error.message) : error
}

function addressOf(master: string): { readonly host: string; readonly port: number } {
  const cut = master.lastIndexOf(':')
  const port = Number(master.slice(cut + 1))
  if (cut < 1 || !Number.isInteger(port) || port < 1 || port > 65535)
    throw badArgument(
      'master',
      master,
      'host:port, as in ci.example.org:9989, with tls: in front when it has a certificate',
    )
  return { host: master.slice(0, cut).replace(/^\[(.*)\]$/, '$1'), port }
}
