import {
  type Clock,
  createHttpRequest,
  type HttpAnswer,
  type HttpHandler,
  type HttpMethod,
  type HttpPower,
  hasCode,
} from 'boltbot/plugin-sdk'
import { badAnswer, badRoute, httpOff, routeDeadline } from '../http/errors.ts'
import { whileOpen } from '../http/respond.ts'
import { wrongPath } from '../http/router.ts'
import type { Route } from '../http/server.ts'
import { withDeadline } from './deadline.ts'
import { hostStopped } from './errors.ts'
import type { PluginTapsParts } from './plugin-taps.ts'

/** The routes of one plugin: noted in `apply`, served between `open` and disposal, each call with a deadline. */
export interface PluginRoutes {
  readonly route: HttpPower['route']
  /** Hands them over. What it returns takes them back: answers under way may end, streams are cut. */
  open(): AsyncDisposable
}

export interface PluginRoutesDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly taps: Pick<PluginTapsParts, 'failed' | 'worked' | 'isSuspended'>
  readonly deadlineMs: number
  /** `null`: the config has no web server. */
  readonly register: ((route: Route) => Disposable) | null
  readonly inApply: (member: string) => void
}

const MOST_BODY = 64 * 1024 * 1024
const DEFAULT_BODY = 1024 * 1024

export function createPluginRoutes(deps: PluginRoutesDeps): PluginRoutes {
  const { plugin, clock, taps, deadlineMs, register } = deps
  const noted: Route[] = []
  const underWay = new Set<Promise<unknown>>()
  /** Ends each stream there is. */
  const streams = new Set<AbortController>()
  const cut = () => {
    for (const stream of streams) stream.abort(hostStopped(plugin))
  }

  const answering = (method: HttpMethod, path: string, handler: HttpHandler): Route['answer'] => {
    const name = `${method} ${path}`
    return async (facts) => {
      if (taps.isSuspended()) return plain(503, 'This page is out of order: its plugin failed too often.')
      const end = new AbortController()
      const signal = AbortSignal.any([facts.signal, end.signal])
      try {
        const given = await withDeadline(Promise.try(handler, createHttpRequest({ ...facts, signal })), {
          clock,
          ms: deadlineMs,
          late: () => routeDeadline(plugin, name, deadlineMs),
          signal: facts.signal,
        })
        const answer = checked(given ?? { status: 204 }, name)
        taps.worked()
        if (isStream(answer)) {
          streams.add(end)
          facts.signal.addEventListener('abort', () => streams.delete(end))
        }
        return watched(answer, signal)
      } catch (error) {
        if (facts.signal.aborted) return plain(503, 'The client has gone.') // nobody reads it
        if (hasCode(error, 'BOLT_HTTP_BODY')) return plain(400, error.message)
        taps.failed('route', error)
        end.abort(error)
        if (hasCode(error, 'BOLT_HTTP_DEADLINE')) return plain(504, 'This page took too long.')
        return plain(500, 'This page failed; the log of the master says why.')
      }
    }
  }
  /** What plain JavaScript gives is looked at here, where the plugin is known. */
  const checked = (answer: HttpAnswer, name: string): HttpAnswer => {
    const { status = 200, headers = {} } = answer
    if (!Number.isInteger(status) || status < 200 || status > 599) throw badAnswer(plugin, name, `status ${status}`)
    const odd = Object.entries(headers).find(([key, value]) => !/^[\w!#$%&'*+.^`|~-]+$/.test(key) || !isHeader(value))
    if (odd) throw badAnswer(plugin, name, `the header ${JSON.stringify(odd)}`)
    return answer
  }
  /** Streams end with the plugin, and what they throw is the plugin's failure. */
  const watched = (answer: HttpAnswer, signal: AbortSignal): HttpAnswer => {
    const pieces = async function* <T>(given: AsyncIterable<T>): AsyncGenerator<T> {
      try {
        yield* whileOpen(given, signal)
      } catch (error) {
        taps.failed('route', error)
        throw error
      }
    }
    const { events, body } = answer
    if (events) return { ...answer, events: pieces(events) }
    return typeof body === 'object' && Symbol.asyncIterator in body ? { ...answer, body: pieces(body) } : answer
  }

  return {
    route(method, path, handler, { maxBody = DEFAULT_BODY } = {}) {
      deps.inApply('http.route')
      if (register === null) throw httpOff(plugin)
      const wrong = wrongPath(path) ?? (METHODS.includes(method) ? undefined : `has the method "${method}"`)
      if (wrong !== undefined) throw badRoute(plugin, String(path), wrong)
      const answer = answering(method, path, handler)
      noted.push({
        plugin,
        method,
        path,
        maxBody: Math.min(maxBody, MOST_BODY),
        answer(facts) {
          const done = answer(facts)
          underWay.add(done)
          done.finally(() => underWay.delete(done))
          return done
        },
      })
    },
    open() {
      const served = new DisposableStack()
      try {
        for (const route of noted) served.use(register!(route)) // there are none without it
      } catch (error) {
        served.dispose()
        throw error
      }
      return {
        async [Symbol.asyncDispose]() {
          served.dispose()
          cut()
          await Promise.allSettled(underWay)
          cut() // those that began meanwhile
        },
      }
    },
  }
}

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'] satisfies HttpMethod[]

const isStream = ({ body, events }: HttpAnswer) =>
  events !== undefined || (typeof body === 'object' && Symbol.asyncIterator in body)

const isHeader = (value: unknown) => typeof value === 'string' && !/[^\t\x20-\x7e\x80-\xff]/.test(value)

const plain = (status: number, text: string): HttpAnswer => ({
  status,
  headers: { 'cache-control': 'no-store' },
  body: `${text}\n`,
})
