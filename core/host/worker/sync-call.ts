import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { packError, unpackError, type WireError } from './wire-error.ts'

/** Calls that a plugin's thread waits for: the few members of the host that are not async. */
export interface SyncLine {
  readonly port: MessagePort
  /** Woken when an answer is there. */
  readonly bell: SharedArrayBuffer
}

type Answer = { readonly value: unknown } | { readonly error: WireError }

/** The plugin's side: the thread sleeps until the master has answered. The master never waits for a plugin's thread in this way. */
export function createSyncCaller({ port, bell }: SyncLine): (method: string, args: readonly unknown[]) => unknown {
  const rung = new Int32Array(bell)
  return (method, args) => {
    Atomics.store(rung, 0, 0)
    port.postMessage({ method, args })
    Atomics.wait(rung, 0, 0)
    const { message } = receiveMessageOnPort(port) as { readonly message: Answer } // the bell is rung behind it
    if ('error' in message) throw unpackError(message.error)
    return message.value
  }
}

/** The master's side. */
export function answerSyncCalls(
  { port, bell }: SyncLine,
  answer: (method: string, args: readonly unknown[]) => unknown,
  inTurn: () => Promise<void>,
): void {
  const rung = new Int32Array(bell)
  port.on('message', async ({ method, args }: { readonly method: string; readonly args: readonly unknown[] }) => {
    await inTurn()
    let given: Answer
    try {
      given = { value: answer(method, args) }
    } catch (error) {
      given = { error: packError(error) }
    }
    port.postMessage(given)
    Atomics.store(rung, 0, 1)
    Atomics.notify(rung, 0)
  })
}
