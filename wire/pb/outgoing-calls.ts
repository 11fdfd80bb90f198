import { PbProblem } from './pb-problem.ts'
import { RemoteError } from './remote-error.ts'
import type { Sexp } from './sexp.ts'
import { type Incoming, unjelly } from './unjelly.ts'
import { Failure, type Value } from './values.ts'

/** Calls of ours that wait for their answers, which come in any order. */
export interface OutgoingCalls {
  /** A number for a call, and its answer. Rejects at once when the link is gone. */
  next(): readonly [request: number, answer: Promise<Value>]
  /** @throws PbProblem when nobody asked. */
  answer(sexp: readonly Sexp[], incoming: Incoming): void
  /** @throws PbProblem when nobody asked. */
  error(sexp: readonly Sexp[], incoming: Incoming): void
  fail(request: number, error: Error): void
  lost(error: Error): void
}

interface Waiting {
  resolve(value: Value): void
  reject(error: Error): void
}

export function createOutgoingCalls(): OutgoingCalls {
  const waiting = new Map<number, Waiting>()
  let last = 0
  let gone: Error | undefined

  function take(sexp: readonly Sexp[]): Waiting {
    const request = sexp[1] as number // others are no keys
    const call = waiting.get(request)
    if (call === undefined) throw new PbProblem('An answer came to a call that was not made.')
    waiting.delete(request)
    return call
  }

  return {
    next() {
      const { promise, resolve, reject } = Promise.withResolvers<Value>()
      const request = ++last
      if (gone) reject(gone)
      else waiting.set(request, { resolve, reject })
      return [request, promise]
    },
    answer(sexp, incoming) {
      const call = take(sexp)
      settle(call, () => call.resolve(unjelly(sexp[2] ?? ['None'], incoming)))
    },
    error(sexp, incoming) {
      const call = take(sexp)
      settle(call, () => {
        const failure = unjelly(sexp[2] ?? ['None'], incoming)
        call.reject(new RemoteError(failure instanceof Failure ? failure : unknownFailure(failure)))
      })
    },
    fail(request, error) {
      waiting.get(request)?.reject(error)
      waiting.delete(request)
    },
    lost(error) {
      gone = error
      for (const call of waiting.values()) call.reject(error)
      waiting.clear()
    },
  }
}

/** An answer that cannot be read fails the call it belongs to. */
function settle(call: Waiting, read: () => void): void {
  try {
    read()
  } catch (error) {
    call.reject(error as Error) // of the reader
  }
}

/** Old programs may send a text alone. */
const unknownFailure = (value: Value) =>
  new Failure({ type: 'unknown', message: typeof value === 'string' ? value : 'unknown' })
