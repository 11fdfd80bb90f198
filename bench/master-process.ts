import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { LEAN } from '../core/cli/lean.ts'
import type { Answer, MasterCalls, MasterOptions } from './master-child.ts'

/** The real master in a process of its own, with slaves over WebSocket. */
export interface MasterProcess extends AsyncDisposable {
  /** Of the slaves' WebSocket. */
  readonly port: number
  call<Name extends keyof MasterCalls>(
    name: Name,
    ...args: Parameters<MasterCalls[Name]>
  ): Promise<Awaited<ReturnType<MasterCalls[Name]>>>
}

const PROGRAM = fileURLToPath(new URL('./master-child.ts', import.meta.url))

export async function startMasterProcess(options: MasterOptions): Promise<MasterProcess> {
  const child = fork(PROGRAM, [JSON.stringify(options)], {
    execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc', ...LEAN.flags],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  child.on('message', ({ id, value, error }: Answer) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  })
  child.on('exit', () => {
    for (const call of waiting.values()) call.reject(new Error('The master ended.'))
  })
  let calls = 0
  const call: MasterProcess['call'] = (name, ...args) => {
    const answer = Promise.withResolvers<unknown>()
    waiting.set(calls, answer)
    child.send({ id: calls++, name, args })
    return answer.promise as never // the child answers each call by its name
  }
  return {
    port: await call('port'),
    call,
    async [Symbol.asyncDispose]() {
      await call('stop')
      child.disconnect()
      await exited
    },
  }
}
