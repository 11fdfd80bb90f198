import type { Host, HttpEvent } from 'boltbot/plugin-sdk'
import { KEEP_MS } from './page-cache.ts'

/**
 * Tells open pages that something they show has changed. A page names topics: `builders`, `builder:full`, `build:17`, `slaves`,
 * `changes`, `requests`, `schedulers`. It is told no more than "look again", so a slow reader costs nothing.
 */
export interface Live {
  /** Until `signal` aborts. */
  watch(topics: ReadonlySet<string>, signal: AbortSignal): AsyncIterable<HttpEvent>
  /** Resolves when one of the topics is told, `ms` have passed or `signal` aborts. */
  next(topics: ReadonlySet<string>, ms: number, signal: AbortSignal): Promise<void>
  /** Pages that watch. */
  readonly watching: number
}

/** After something happened: what happens meanwhile is told with it, and pages made before are kept no longer. */
const PAUSE_MS = KEEP_MS + 200

export function createLive(host: Host): Live {
  const waiting = new Set<{ readonly topics: ReadonlySet<string>; readonly wake: () => void }>()
  const tell = (...topics: readonly string[]) => {
    for (const one of waiting) if (topics.some((topic) => one.topics.has(topic))) one.wake()
  }
  const ofBuild = ({ builder, build }: { readonly builder: string; readonly build: number }) =>
    [`builder:${builder}`, `build:${build}`, 'builders'] as const

  host.tap('changeAccepted', () => tell('changes', 'schedulers'))
  host.tap('buildsetCreated', () => tell('schedulers'))
  host.tap('requestQueued', ({ builder }) => tell('requests', 'builders', `builder:${builder}`))
  host.tap('requestCancelled', ({ builder }) => tell('requests', 'builders', `builder:${builder}`))
  host.tap('buildStarted', (event) => tell(...ofBuild(event), 'requests', 'slaves', 'changes'))
  host.tap('stepStarted', (event) => tell(...ofBuild(event)))
  host.tap('stepFinished', (event) => tell(...ofBuild(event), `step:${event.build}/${event.step}`))
  host.tap('buildFinished', (event) => tell(...ofBuild(event), 'requests', 'slaves', 'changes'))
  host.tap('logAppended', ({ build, step, log }) => tell(`log:${build}/${step}/${log}`))
  host.tap('slaveConnected', () => tell('slaves', 'builders'))
  host.tap('slaveLost', () => tell('slaves', 'builders'))
  host.tap('configApplied', () => tell('builders', 'slaves', 'schedulers'))

  const next: Live['next'] = (topics, ms, signal) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const entry = { topics, wake: () => resolve() }
    const timer = host.clock.timer(ms, resolve)
    waiting.add(entry)
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    return promise.finally(() => {
      timer[Symbol.dispose]()
      waiting.delete(entry)
    })
  }

  return {
    next,
    get watching() {
      return waiting.size
    },
    async *watch(topics, signal) {
      let stir = Promise.withResolvers<void>()
      const entry = {
        topics,
        wake: () => stir.resolve(),
      }
      waiting.add(entry)
      signal.addEventListener('abort', () => stir.resolve(), { once: true })
      try {
        yield { event: 'hello', data: 'you are told what changes' }
        while (!signal.aborted) {
          await stir.promise
          if (signal.aborted) return
          await host.clock.sleep(PAUSE_MS, signal).catch(() => {}) // the page has gone
          stir = Promise.withResolvers()
          yield { event: 'changed', data: '' }
        }
      } finally {
        waiting.delete(entry)
      }
    },
  }
}
