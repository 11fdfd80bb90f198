import type { Host, Log, LogFields, Query, SecretRef, State } from 'boltbot/plugin-sdk'
import { createPace, type PaceLimits } from '../pace.ts'
import { unpackFields } from './pack-fields.ts'
import type { Handler } from './rpc.ts'

/** The master's end of a plugin's host: does for the thread what the plugin itself would do in the process. */
export interface HostCalls {
  readonly handlers: Readonly<Record<string, Handler>>
  readonly answer: (method: string, args: readonly unknown[]) => unknown
  /** Stops the timers of a thread that is gone. */
  clear(): void
}

export interface HostCallsDeps {
  /** What the plugin is given, with its limits. */
  readonly host: Host
  /** Tells the thread that a timer of its own is due. */
  readonly fire: (timer: number) => void
  /** Something of the plugin failed outside of a call. */
  readonly failed: (error: unknown) => void
  readonly pace: { readonly calls: PaceLimits; readonly writes: PaceLimits }
}

export function createHostCalls({ host, fire, failed, pace }: HostCallsDeps): HostCalls {
  const timers = new Map<number, Disposable>()
  const inTurn = createPace(host.clock, pace.calls)
  const inWriteTurn = createPace(host.clock, pace.writes)
  return {
    handlers: {
      // What a thread asks for in a loop without end must leave the master time for its builds.
      host: async ([method, ...args], { signal }) => {
        await (isRead(String(method)) ? inTurn() : inWriteTurn())
        return method === 'waitFor' ? host.waitFor(args[0] as number, { signal }) : callHost(host, String(method), args)
      },
      log([level, message, fields]) {
        const { log } = host
        log[level as keyof Omit<Log, 'child'>](String(message), unpackFields(fields as LogFields))
      },
      failed: ([fields]) => failed(unpackFields(fields as LogFields).error),
      timer([timer, ms]) {
        const due = () => {
          timers.delete(timer as number)
          fire(timer as number)
        }
        try {
          timers.set(timer as number, host.clock.timer(Number(ms), due))
        } catch (error) {
          failed(error) // the thread's own clock refuses before: it said what it should not
        }
      },
      clear([timer]) {
        timers.get(timer as number)?.[Symbol.dispose]()
        timers.delete(timer as number)
      },
    },
    answer(method, [value]) {
      switch (method) {
        case 'now':
          return host.clock.now()
        case 'query.project':
          return host.query.project()
        case 'secrets.resolve':
          return host.secrets.resolve(value as string | SecretRef)
        case 'http.url':
          return host.http.url()
        case 'http.page':
          return host.http.page(String(value))
        default:
          throw new Error(`nobody answers "${method}"`)
      }
    },
    clear() {
      for (const timer of timers.values()) timer[Symbol.dispose]()
      timers.clear()
    },
  }
}

/** Reads share the store with others; each write wants a commit, which those of builds wait for. */
const isRead = (method: string) => /^(query|people|state\.get|waitFor|directory)\b/.test(method)

/** `submitChange`, `query.builds`: the member of this name, with the arguments as the plugin gave them. */
function callHost(host: Host, method: string, args: readonly unknown[]): unknown {
  const [member, inner] = method.split('.') as [keyof Host, keyof Query | keyof State | undefined]
  const owner: unknown = inner === undefined ? host : host[member]
  const act: unknown = Reflect.get(owner as object, inner ?? member)
  if (typeof act !== 'function') throw new Error(`the host has no "${method}"`)
  return Reflect.apply(act, owner, args)
}
