import { randomBytes } from 'node:crypto'
import { ProtocolError } from '../protocol-error.ts'
import { isProof, type Login, prove } from './auth.ts'
import { decodeMasterMessage, encodeMessage } from './codec.ts'
import { type AgentMessage, type MasterMessage, PROTOCOL_VERSION } from './messages.ts'
import { CLOSE, type LinkClock, type Socket } from './socket.ts'

/**
 * The agent's end of a link. States, with these exits only:
 * - *greeting*: `hello` is sent, waits for `challenge`. → *proving* · closed
 * - *proving*: the proof is sent, waits for `welcome`. → *attached* (the master's proof is right) · closed
 * - *attached*: `ready` is sent; what comes goes to `take`. → closed
 * - *closed*: final.
 */
export interface AgentLink {
  readonly attached: boolean
  /** Does nothing unless attached. @throws ProtocolError when the message is too large. */
  send(message: AgentMessage): void
  /** A whole message came. Never throws. */
  receive(bytes: Uint8Array): void
  heard(): void
  /** The socket is closed. */
  dropped(reason: string): void
  /** Tells the master why and closes. */
  close(reason: string): void
}

export interface AgentLinkDeps {
  readonly socket: Socket
  readonly clock: LinkClock
  readonly name: string
  readonly password: string
  /** Milliseconds; 0: none. */
  readonly keepalive: number
  /** Milliseconds from the start to the login, and for an answer to a sign of life. */
  readonly patience: number
  /** What is told once logged in. */
  readonly ready: () => Omit<Extract<AgentMessage, { readonly t: 'ready' }>, 't' | 'keepalive'>
  /** Logged in; messages may be sent. */
  readonly opened: (link: AgentLink) => void
  readonly take: (message: MasterMessage) => void
  /** The link is gone; called once. `attached`: it was logged in. */
  readonly closed: (reason: string, attached: boolean) => void
}

type State =
  | { readonly at: 'greeting'; readonly nonce: Uint8Array }
  | { readonly at: 'proving'; readonly login: Login }
  | { readonly at: 'attached' }
  | { readonly at: 'closed' }

/** Starts the login at once: the socket must be open. */
export function createAgentLink(deps: AgentLinkDeps): AgentLink {
  const { socket, clock, name, password } = deps
  let state: State = { at: 'greeting', nonce: randomBytes(32) }
  let lastHeard = clock.now()
  let pings = 0
  let watch = clock.timer(deps.patience, () => close('the master did not finish the login in time'))

  const transmit = (message: AgentMessage) => {
    if (state.at !== 'closed') socket.send(encodeMessage(message))
  }

  function over(reason: string): void {
    if (state.at === 'closed') return
    watch[Symbol.dispose]()
    const attached = state.at === 'attached'
    state = { at: 'closed' }
    deps.closed(reason, attached)
  }

  function close(reason: string, code: number = CLOSE.normal): void {
    if (state.at === 'closed') return
    if (state.at === 'attached') transmit({ t: 'bye', reason: reason.slice(0, 4000) })
    socket.close(code, reason)
    over(reason)
  }

  function keepAlive(): void {
    if (deps.keepalive === 0) return
    watch = clock.timer(deps.keepalive, () => {
      const asked = clock.now()
      transmit({ t: 'ping', n: ++pings })
      watch = clock.timer(deps.patience, () => {
        if (lastHeard < asked) close('the master does not answer', CLOSE.lost)
        else keepAlive()
      })
    })
  }

  function challenge(agentNonce: Uint8Array, message: Extract<MasterMessage, { readonly t: 'challenge' }>): void {
    if (message.version !== PROTOCOL_VERSION)
      throw new ProtocolError(
        `The master is too old for this slave (it speaks version ${message.version} of the agent protocol, the slave ${PROTOCOL_VERSION}): upgrade the master.`,
      )
    const login: Login = { name, agentNonce, masterNonce: message.nonce.slice() }
    transmit({ t: 'proof', proof: prove(password, 'agent', login) })
    state = { at: 'proving', login }
  }

  function welcome(login: Login, proof: Uint8Array): void {
    if (!isProof(proof, password, 'master', login))
      throw new ProtocolError('The master does not know the password of this slave.')
    watch[Symbol.dispose]()
    state = { at: 'attached' }
    transmit({ t: 'ready', keepalive: deps.keepalive / 1000, ...deps.ready() })
    keepAlive()
    deps.opened(link)
  }

  function take(message: MasterMessage): void {
    if (message.t === 'bye') {
      socket.close(CLOSE.normal, 'bye')
      over(message.reason)
    } else if (state.at === 'attached') {
      if (message.t === 'ping') transmit({ t: 'pong', n: message.n })
      else if (message.t !== 'pong') deps.take(message)
    } else if (state.at === 'greeting' && message.t === 'challenge') challenge(state.nonce, message)
    else if (state.at === 'proving' && message.t === 'welcome') welcome(state.login, message.proof)
    else throw new ProtocolError(`The message "${message.t}" is out of turn.`)
  }

  const link: AgentLink = {
    get attached() {
      return state.at === 'attached'
    },
    send(message) {
      if (state.at === 'attached') transmit(message)
    },
    receive(bytes) {
      if (state.at === 'closed') return
      lastHeard = clock.now()
      try {
        take(decodeMasterMessage(bytes))
      } catch (error) {
        close(error instanceof Error ? error.message : String(error), CLOSE.protocol)
      }
    },
    heard() {
      lastHeard = clock.now()
    },
    dropped: over,
    close: (reason) => close(reason),
  }
  transmit({ t: 'hello', version: PROTOCOL_VERSION, name, nonce: state.nonce })
  return link
}
