import { randomBytes } from 'node:crypto'
import { ProtocolError } from '../protocol-error.ts'
import { isProof, type Login, prove } from './auth.ts'
import { decodeAgentMessage, encodeMessage } from './codec.ts'
import type { Connection, ConnectionErrors } from './connection.ts'
import { createMasterConnection, type MasterConnection } from './master-connection.ts'
import { type AgentMessage, type MasterMessage, OLDEST_AGENT, PROTOCOL_VERSION } from './messages.ts'
import { CLOSE, type LinkClock, type Socket } from './socket.ts'

/**
 * The master's end of a link. States, with these exits only:
 * - *greeting*: waits for `hello`. → *proving* · closed
 * - *proving*: the challenge is sent, waits for `proof`. → *welcomed* (it is right) · closed (wrong, or the name is unknown)
 * - *welcomed*: waits for `ready`. → *attached* · closed
 * - *attached*: the connection was handed over; all else is about it. → closed
 * - *closed*: final. What comes is ignored.
 *
 * An unknown name is challenged like any other, so that nobody can find out names by asking.
 */
export interface MasterLink {
  /** The name that logged in, once it has. */
  readonly slave: string | undefined
  /** A whole message came. Never throws: bad bytes close this link. */
  receive(bytes: Uint8Array): void
  /** Some bytes came, be they part of a message. */
  heard(): void
  /** The socket is closed. */
  dropped(reason: string): void
  /** What came was no message at all: closes the link as for a broken one. */
  broken(reason: string): void
  /** Tells the agent why and closes. */
  close(reason: string): void
}

export interface MasterLinkDeps {
  readonly socket: Socket
  readonly peer: string
  readonly clock: LinkClock
  readonly errors: ConnectionErrors
  /** `undefined`: this name may not log in here. */
  readonly password: (slave: string) => string | undefined
  /** Hands the connection over. When it rejects the agent is told the message and the link is closed. */
  readonly attach: (connection: Connection) => Promise<void>
  /** A login failed, or the protocol was broken; told once per link, before it is closed. */
  readonly refused: (problem: LinkProblem) => void
  /** Milliseconds from the start to `ready`. */
  readonly loginTimeout: number
}

export interface LinkProblem {
  readonly kind: 'protocol' | 'version' | 'login' | 'attach'
  /** As given by the peer: not to be trusted before a login. */
  readonly name: string | undefined
  readonly reason: string
}

type State =
  | { readonly at: 'greeting' }
  | { readonly at: 'proving'; readonly login: Login }
  | { readonly at: 'welcomed'; readonly name: string }
  | { readonly at: 'attached'; readonly name: string; readonly session: MasterConnection }
  | { readonly at: 'closed'; readonly name: string | undefined }

/** Each message wakes the agent; an acknowledgement may wait for the next one. */
const GATHER_MS = 20

const REFUSED = 'The master does not know this name, or the password is wrong; its log tells which.'

export function createMasterLink(deps: MasterLinkDeps): MasterLink {
  const { socket, peer, clock, password, attach, refused } = deps
  let state: State = { at: 'greeting' }
  let lastHeard = clock.now()
  let watch = clock.timer(deps.loginTimeout, () =>
    refuse('login', `It did not log in within ${deps.loginTimeout / 1000} s.`),
  )

  /** Not urgent: they go out with the next message, or by the timer. */
  const later: MasterMessage[] = []
  let gathering: Disposable | undefined

  function send(message: MasterMessage): void {
    if (state.at === 'closed') return
    const bytes = encodeMessage(message)
    sendGathered()
    socket.send(bytes)
  }

  function sendSoon(message: MasterMessage): void {
    if (state.at === 'closed') return
    later.push(message)
    gathering ??= clock.timer(GATHER_MS, sendGathered)
  }

  function sendGathered(): void {
    if (later.length === 0) return
    gathering?.[Symbol.dispose]()
    gathering = undefined
    for (const message of later.splice(0)) socket.send(encodeMessage(message))
  }

  const nameOf = () => (state.at === 'proving' ? state.login.name : state.at === 'greeting' ? undefined : state.name)

  function over(reason: string): boolean {
    if (state.at === 'closed') return false
    watch[Symbol.dispose]()
    gathering?.[Symbol.dispose]()
    const before = state
    state = { at: 'closed', name: nameOf() }
    if (before.at === 'attached') before.session.lost(reason)
    return true
  }

  /** Closes with last words. */
  function close(reason: string, code: number = CLOSE.normal): void {
    if (state.at === 'closed') return
    send({ t: 'bye', reason: reason.slice(0, 4000) })
    over(reason)
    socket.close(code, reason)
  }

  function refuse(kind: LinkProblem['kind'], reason: string, told = reason): void {
    if (state.at === 'closed') return
    refused({ kind, name: nameOf(), reason })
    close(told, kind === 'protocol' ? CLOSE.protocol : CLOSE.policy)
  }

  /** Half-open links: the agent said how often it gives a sign of life. */
  function watchKeepalive(keepaliveMs: number): void {
    if (keepaliveMs === 0) return
    const limit = keepaliveMs * 2 + 30_000
    const left = lastHeard + limit - clock.now()
    if (left <= 0) close(`nothing was heard of it for ${Math.round(limit / 1000)} s`, CLOSE.lost)
    else watch = clock.timer(left, () => watchKeepalive(keepaliveMs))
  }

  function hello(message: Extract<AgentMessage, { readonly t: 'hello' }>): void {
    const { version, name } = message
    if (version > PROTOCOL_VERSION) {
      const why = `it speaks version ${PROTOCOL_VERSION} of the agent protocol, the slave ${version}`
      refuse('version', `This master is too old for the slave "${name}" (${why}): upgrade the master.`)
    } else if (version < OLDEST_AGENT) {
      const why = `it speaks version ${version} of the agent protocol, the master ${OLDEST_AGENT} to ${PROTOCOL_VERSION}`
      refuse('version', `The slave "${name}" is too old for this master (${why}): install the master's Boltbot on it.`)
    } else {
      const login: Login = { name, agentNonce: message.nonce.slice(), masterNonce: randomBytes(32) }
      send({ t: 'challenge', version, nonce: login.masterNonce })
      state = { at: 'proving', login }
    }
  }

  function proof(login: Login, given: Uint8Array): void {
    const secret = password(login.name)
    // Without a password the same work is done on a random one: the time tells nothing.
    const right = isProof(given, secret ?? randomBytes(16).toString('hex'), 'agent', login)
    if (secret === undefined) refuse('login', `The slave "${login.name}" may not log in here.`, REFUSED)
    else if (!right) refuse('login', `The password of slave "${login.name}" is wrong.`, REFUSED)
    else {
      send({ t: 'welcome', proof: prove(secret, 'master', login) })
      state = { at: 'welcomed', name: login.name }
    }
  }

  function ready(name: string, message: Extract<AgentMessage, { readonly t: 'ready' }>): void {
    watch[Symbol.dispose]()
    const session = createMasterConnection({
      slave: name,
      peer,
      ready: message,
      errors: deps.errors,
      clock,
      lastHeard: () => lastHeard,
      send,
      sendSoon,
      close: (reason) => close(reason),
    })
    state = { at: 'attached', name, session }
    watchKeepalive(message.keepalive * 1000)
    attach(session.connection).catch((error: unknown) =>
      refuse('attach', error instanceof Error ? error.message : String(error)),
    )
  }

  function take(message: AgentMessage): void {
    if (message.t === 'bye') {
      over(message.reason)
      socket.close(CLOSE.normal, 'bye')
    } else if (state.at === 'attached') state.session.receive(message)
    else if (state.at === 'greeting' && message.t === 'hello') hello(message)
    else if (state.at === 'proving' && message.t === 'proof') proof(state.login, message.proof)
    else if (state.at === 'welcomed' && message.t === 'ready') ready(state.name, message)
    else throw new ProtocolError(`The message "${message.t}" is out of turn.`)
  }

  return {
    get slave() {
      return state.at === 'attached' ? state.name : undefined
    },
    receive(bytes) {
      if (state.at === 'closed') return
      lastHeard = clock.now()
      try {
        take(decodeAgentMessage(bytes))
      } catch (error) {
        refuse('protocol', error instanceof Error ? error.message : String(error))
      }
    },
    heard() {
      lastHeard = clock.now()
    },
    dropped: (reason) => void over(reason),
    broken: (reason) => refuse('protocol', reason),
    close: (reason) => close(reason),
  }
}
