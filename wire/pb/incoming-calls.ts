import { latin1 } from './bytes.ts'
import { JellyProblem } from './jelly-problem.ts'
import type { LocalObjects } from './local-objects.ts'
import { PbProblem } from './pb-problem.ts'
import { NO_SUCH_METHOD, RaisedError } from './remote-error.ts'
import type { Sexp } from './sexp.ts'
import { type Incoming, unjelly } from './unjelly.ts'
import { type Method, Tuple, type Value } from './values.ts'

export interface IncomingDeps {
  readonly objects: LocalObjects
  readonly incoming: Incoming
  /** A message: what stands in front, and values. */
  readonly send: (front: readonly Sexp[], ...values: readonly Value[]) => void
  readonly trouble: (method: string, error: unknown) => void
  readonly congested?: ((much: boolean) => void) | undefined
}

/** Calls of the other end: each begins when it comes, in order, and is answered when its method is done. */
export interface IncomingCalls {
  /** @throws PbProblem when it is no message, or too many wait. */
  message(sexp: readonly Sexp[], bytes: number): void
  trust(): void
}

/** Calls at once, before and after a login. */
const MOST_OF_STRANGER = 8
const MOST = 10_000
/** Unanswered bytes: from the first on no more should be read, until there are less than the second. */
const MUCH = 4 * 1024 * 1024
const LITTLE = 1024 * 1024

export function createIncomingCalls(deps: IncomingDeps): IncomingCalls {
  const { objects, incoming, send } = deps
  let most = MOST_OF_STRANGER
  let running = 0
  let waitingBytes = 0
  let congested = false

  function begin(bytes: number): void {
    if (++running > most) throw new PbProblem(`More than ${most} calls wait for an answer.`)
    waitingBytes += bytes
    if (!congested && waitingBytes >= MUCH) deps.congested?.((congested = true))
  }

  function end(bytes: number): void {
    running--
    waitingBytes -= bytes
    if (congested && waitingBytes < LITTLE) deps.congested?.((congested = false))
  }

  function answer(request: number, wanted: boolean, value: Value): void {
    if (!wanted) return
    try {
      send(['answer', request], value)
    } catch (error) {
      fail(request, wanted, 'answer', error)
    }
  }

  function fail(request: number, wanted: boolean, method: string, error: unknown): void {
    const raised = raisedFor(error)
    if (raised === undefined) deps.trouble(method, error)
    if (!wanted) return
    const { failure } = raised ?? new RaisedError('twisted.spread.pb.Error', 'It failed here; the log says why.')
    send(['error', request], failure)
  }

  async function finish(promise: Promise<Value>, request: number, wanted: boolean, method: string, bytes: number) {
    try {
      answer(request, wanted, await promise)
    } catch (error) {
      fail(request, wanted, method, error)
    }
    end(bytes)
  }

  return {
    message(sexp, bytes) {
      const [, request, luid, name, answerRequired, args, keywords] = sexp
      if (sexp.length !== 7 || !Number.isSafeInteger(request) || !(name instanceof Uint8Array))
        throw new PbProblem('A message has not the right parts.')
      const method = latin1(name, 100)
      const number = request as number // a safe integer is a number
      const wanted = answerRequired !== 0
      begin(bytes)
      let result: Value | Promise<Value>
      try {
        const run = methodOf(objects, luid, method)
        result = run(...argumentsOf(args!, keywords!, incoming)) // seven parts
      } catch (error) {
        fail(number, wanted, method, error)
        return end(bytes)
      }
      if (result instanceof Promise) return void finish(result, number, wanted, method, bytes)
      answer(number, wanted, result)
      end(bytes)
    },
    trust() {
      most = MOST
    },
  }
}

function methodOf(objects: LocalObjects, luid: Sexp | undefined, name: string): Method {
  const method = objects.get(luid).methods.get(name)
  if (method === undefined)
    throw new RaisedError(NO_SUCH_METHOD, `There is no method "${name}".`, [NO_SUCH_METHOD, 'builtins.AttributeError'])
  return method
}

function argumentsOf(args: Sexp, keywords: Sexp, incoming: Incoming): Parameters<Method> {
  const values = unjelly(args, incoming)
  const named = unjelly(keywords, incoming)
  if (!(values instanceof Tuple) && !Array.isArray(values)) throw new JellyProblem('The arguments are no tuple.')
  if (!(named instanceof Map)) throw new JellyProblem('The named arguments are no dictionary.')
  return [values instanceof Tuple ? values.items : values, named]
}

/** What the other end may know; `undefined`: it is ours alone. */
function raisedFor(error: unknown): RaisedError | undefined {
  if (error instanceof RaisedError) return error
  if (error instanceof JellyProblem) return new RaisedError('twisted.spread.jelly.InsecureJelly', error.message)
  return undefined
}
