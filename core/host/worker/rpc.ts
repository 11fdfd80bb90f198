import type { MessagePort } from 'node:worker_threads'
import { packError, unpackError, type WireError } from './wire-error.ts'

/** Calls between the master and the thread of a plugin, in both directions alike. */
export interface Rpc {
  /**
   * Resolves with what the other side's handler gave; rejects with what it threw, and with what the port was closed for. An abort of
   * `signal` is told to the other side, which goes on to answer. `onPart` is given what the handler tells meanwhile.
   */
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>
  /** Wants no answer. */
  tell(method: string, ...args: readonly unknown[]): void
  /** Calls that have no answer yet reject with the reason, as do those to come. */
  close(reason: Error): void
  /** Messages that went out and came in, so far. */
  readonly traffic: number
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly onPart?: (part: unknown) => void
}

export interface CallContext {
  /** Aborted when the caller does not want the answer any longer. */
  readonly signal: AbortSignal
  /** Tells the caller something before the answer. */
  part(value: unknown): void
}

export type Handler = (args: readonly unknown[], context: CallContext) => unknown

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'tell'; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'abort' | 'part' | 'answer'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: WireError }

interface Pending extends PromiseWithResolvers<unknown> {
  readonly onPart: ((part: unknown) => void) | undefined
}

export interface RpcDeps {
  readonly port: MessagePort
  readonly handlerOf: (method: string) => Handler | undefined
  /** Called before each message that goes out, and is no answer: of these the other side has asked for each. */
  readonly sending?: () => void
  /** Called for each such that comes in. */
  readonly taking?: () => void
}

export function createRpc({ port, handlerOf, sending, taking }: RpcDeps): Rpc {
  const pending = new Map<number, Pending>()
  const served = new Map<number, AbortController>()
  let calls = 0
  let closed: Error | undefined
  let traffic = 0
  const post = (message: Message) => {
    if (closed !== undefined) return
    traffic++
    if (!isAnswer(message)) sending?.()
    port.postMessage(message)
  }

  const serve = async (id: number, method: string, args: readonly unknown[]) => {
    const abort = new AbortController()
    served.set(id, abort)
    const context = { signal: abort.signal, part: (value: unknown) => post({ kind: 'part', id, value }) }
    try {
      const handler = handlerOf(method)
      if (handler === undefined) throw new Error(`nobody answers "${method}"`)
      post({ kind: 'answer', id, value: await handler(args, context) })
    } catch (error) {
      post({ kind: 'failure', id, error: packError(error) })
    } finally {
      served.delete(id)
    }
  }
  const settle = (id: number): Pending | undefined => {
    const found = pending.get(id)
    pending.delete(id)
    return found
  }

  port.on('message', (message: Message) => {
    traffic++
    if (!isAnswer(message)) taking?.()
    switch (message.kind) {
      case 'call':
        void serve(message.id, message.method, message.args)
        break
      case 'tell':
        void handlerOf(message.method)?.(message.args, { signal: NEVER, part: () => {} })
        break
      case 'abort':
        served.get(message.id)?.abort(message.value)
        break
      case 'part':
        pending.get(message.id)?.onPart?.(message.value)
        break
      case 'answer':
        settle(message.id)?.resolve(message.value)
        break
      case 'failure':
        settle(message.id)?.reject(unpackError(message.error))
    }
  })

  return {
    async call(method, args, { signal, onPart } = {}) {
      if (closed !== undefined) throw closed
      const id = ++calls
      const answer: Pending = { ...Promise.withResolvers<unknown>(), onPart }
      pending.set(id, answer)
      const abort = () => post({ kind: 'abort', id })
      signal?.addEventListener('abort', abort, { once: true })
      try {
        post({ kind: 'call', id, method, args })
        if (signal?.aborted) abort()
        return await answer.promise
      } finally {
        pending.delete(id)
        signal?.removeEventListener('abort', abort)
      }
    },
    tell: (method, ...args) => post({ kind: 'tell', method, args }),
    close(reason) {
      closed ??= reason
      for (const answer of pending.values()) answer.reject(closed)
      for (const abort of served.values()) abort.abort(closed)
      port.close()
    },
    get traffic() {
      return traffic
    },
  }
}

const isAnswer = ({ kind }: Message) => kind === 'answer' || kind === 'failure'

const NEVER = new AbortController().signal
