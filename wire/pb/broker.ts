import { createBananaDecoder } from './banana-decoder.ts'
import { encodeBanana } from './banana-encoder.ts'
import { giveBack } from './banana-writer.ts'
import { latin1 } from './bytes.ts'
import { createIncomingCalls } from './incoming-calls.ts'
import { dictionaryOf, encodeMessage } from './jelly.ts'
import { JellyProblem } from './jelly-problem.ts'
import { FRIEND, STRANGER } from './limits.ts'
import { createLocalObjects } from './local-objects.ts'
import { createOutgoingCalls } from './outgoing-calls.ts'
import { PbProblem } from './pb-problem.ts'
import type { Sexp } from './sexp.ts'
import { type Referenceable, type RemoteCall, RemoteReference, Tuple, type Value } from './values.ts'

export interface BrokerDeps {
  /** The server speaks first; its `root` is what a client calls to log in. */
  readonly role: 'server' | 'client'
  readonly root?: Referenceable
  /**
   * Takes bytes for the other end, in order. Does not throw, also not when the link is gone. True: they are with the system, and their
   * memory may be written over.
   */
  readonly send: (bytes: Uint8Array) => boolean | undefined
  /** The other end broke the protocol: close the link. Then call `lost`. */
  readonly broken: (reason: string) => void
  /** A method of ours threw something of its own. The other end is told only that it failed. */
  readonly trouble: (method: string, error: unknown) => void
  /** True: calls wait unanswered with so many bytes that no more should be read; false: go on. */
  readonly congested?: (much: boolean) => void
  /** Of which classes of the other end copies are taken, by dotted name; default: none. */
  readonly copies?: (type: string) => boolean
  /** Bytes of the longest string the other end takes; default 640 KiB. */
  readonly longest?: number
}

/** One end of a link of Perspective Broker: no sockets, no time. What is given to `receive` comes out as calls of methods and results. */
export interface Broker {
  /** Resolves when both ends agree on how to speak; rejects when the link is lost before. */
  readonly opened: Promise<void>
  /** What a client calls first. */
  readonly root: RemoteReference
  /** Bytes as they come. Never throws. */
  receive(bytes: Uint8Array): void
  /** The link is gone: all calls fail with this. */
  lost(error: Error): void
  /** The other end has logged in: larger messages and more calls at once are taken. */
  trust(): void
  /** An object of ours must not be called any more. */
  release(object: Referenceable): void
  /** An object of the other end is not needed any more: it is told so. */
  drop(reference: RemoteReference): void
}

/** Objects of the other end that are remembered; real programs give a few, or one for each builder. */
const MOST_REFERENCES = 20_000

const DIALECTS = ['pb', 'none']
const VERSION = 6

export function createBroker(deps: BrokerDeps): Broker {
  const { role } = deps
  const opened = Promise.withResolvers<void>()
  opened.promise.catch(() => {}) // who does not wait for it does not care
  const objects = createLocalObjects(deps.root)
  const references = new Map<number, { readonly reference: RemoteReference; count: number }>()
  const calls = createOutgoingCalls()
  let vocabulary = false
  let phase: 'dialect' | 'version' | 'open' | 'gone' = 'dialect'

  const give = (bytes: Uint8Array) => {
    if (deps.send(bytes)) giveBack(bytes)
  }
  const options = () => ({ vocabulary, ...(deps.longest && { longest: deps.longest }) })
  const send = (sexp: Sexp) => {
    if (phase !== 'gone') give(encodeBanana(sexp, options()))
  }
  const sendValues = (front: readonly Sexp[], ...values: readonly Value[]) => {
    if (phase !== 'gone') give(encodeMessage(front, values, objects.expose, options()))
  }

  const root = new RemoteReference('root', call)
  const incoming = {
    remote(luid: number) {
      const known = references.get(luid)
      if (known) known.count++
      else if (references.size >= MOST_REFERENCES) throw new JellyProblem('There are too many objects of yours here.')
      else references.set(luid, { reference: new RemoteReference(luid, call), count: 1 })
      return references.get(luid)!.reference
    },
    local: objects.get,
    copies: deps.copies,
  }
  const served = createIncomingCalls({
    objects,
    incoming,
    send: sendValues,
    trouble: deps.trouble,
    congested: deps.congested,
  })
  const decoder = createBananaDecoder(role === 'server' ? STRANGER : FRIEND, element)

  function call(...[luid, method, args, keywords]: Parameters<RemoteCall>): Promise<Value> {
    const [request, answer] = calls.next()
    try {
      // The last two are written each on its own: what they share is not shared over there.
      sendValues(['message', request, luid, method, 1], new Tuple([...args]), dictionaryOf(keywords))
    } catch (error) {
      calls.fail(request, error as Error) // of the encoder
    }
    return answer
  }

  function element(sexp: Sexp, bytes: number): void {
    if (phase === 'gone') return
    if (phase === 'dialect') dialect(sexp)
    else message(sexp, bytes)
  }

  function message(sexp: Sexp, bytes: number): void {
    if (!Array.isArray(sexp) || !(sexp[0] instanceof Uint8Array)) throw new PbProblem('A message is no list.')
    const command = latin1(sexp[0], 100)
    if (phase === 'version') version(command, sexp)
    else if (command === 'message') served.message(sexp, bytes)
    else if (command === 'answer') calls.answer(sexp, incoming)
    else if (command === 'error') calls.error(sexp, incoming)
    else if (command === 'decref') objects.decref(sexp[1])
    // Others are left without a word: real programs do not take the answer that there is for this.
  }

  function dialect(sexp: Sexp): void {
    const chosen = role === 'server' ? sexp : firstKnown(sexp)
    const name = chosen instanceof Uint8Array ? latin1(chosen, 10) : ''
    if (!DIALECTS.includes(name)) throw new PbProblem('The other end speaks no dialect that is known here.')
    if (role === 'client') send(Buffer.from(name))
    vocabulary = name === 'pb'
    phase = 'version'
    send(['version', VERSION])
    if (role === 'client') opened.resolve()
  }

  function version(command: string, sexp: readonly Sexp[]): void {
    if (command !== 'version' || sexp[1] !== VERSION) throw new PbProblem('The other end has another version.')
    phase = 'open'
    opened.resolve()
  }

  function gone(error: Error): void {
    if (phase === 'gone') return
    phase = 'gone'
    opened.reject(error)
    calls.lost(error)
    references.clear()
    objects.clear()
  }

  if (role === 'server') send(DIALECTS.map((name) => Buffer.from(name)))
  return {
    opened: opened.promise,
    root,
    receive(bytes) {
      if (phase === 'gone') return
      try {
        decoder.push(bytes)
      } catch (error) {
        const problem = error as Error // only problems of the protocol are thrown there
        gone(problem)
        deps.broken(problem.message)
      }
    },
    lost: gone,
    trust() {
      decoder.limits = FRIEND
      served.trust()
    },
    release: objects.release,
    drop(reference) {
      const luid = reference.luid as number // root is in no table
      const known = references.get(luid)
      if (known?.reference !== reference) return
      references.delete(luid)
      for (let left = known.count; left > 0; left--) send(['decref', luid])
    },
  }
}

const firstKnown = (sexp: Sexp): Sexp | undefined =>
  Array.isArray(sexp)
    ? sexp.find((name) => name instanceof Uint8Array && DIALECTS.includes(latin1(name, 10)))
    : undefined
