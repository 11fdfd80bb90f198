import { CiError, messageOf } from './errors.ts'

/** The pages of the master's one web server, as a plugin adds to them. */
export interface HttpPower {
  /**
   * Adds a route; only in `apply`. It is served once all plugins have started, and until the plugin stops.
   *
   * `path` is `/hooks/github`, or `/builders/:name` with parameters: a parameter takes one whole segment, decoded. `GET` serves
   * `HEAD` too. `/*` takes all that nobody else serves. A handler that throws is answered with 500, one that gives no answer in 30 s with 504; both count against the
   * plugin as failing taps do. What came of a stranger's bad request is an answer, not a throw.
   * @throws CiError `BOLT_HTTP_OFF` when the config has no `http`, `BOLT_HTTP_ROUTE` when the path is not one.
   * @example
   * host.http.route('GET', '/lamp/:builder', async ({ params }) => {
   *   const builder = await host.query.builder(params.builder!)
   *   return builder ? { body: `${builder.lastResult}\n` } : { status: 404, body: 'There is no such builder.\n' }
   * })
   */
  route(method: HttpMethod, path: string, handler: HttpHandler, options?: HttpRouteOptions): void
  /** Where people reach the pages, with `/` at its end: `buildbotURL`, else where the server listens. `null`: nothing listens. */
  url(): string | null
  /**
   * Where people find a page, when some plugin of the master serves it; `null`: nobody does. For links in messages: they lead somewhere.
   * @example host.http.page('/builders/full/builds/12') // 'https://ci.example.org/builders/full/builds/12'
   */
  page(path: string): string | null
}

/** The methods a route may be for; `GET` serves `HEAD`. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** How a route is served. */
export interface HttpRouteOptions {
  /** The longest body taken, in bytes; more is answered with 413. Default 1 MiB, at most 64 MiB. */
  readonly maxBody?: number
}

/** Answers a request; called for each, several at once. May be async. What it throws is a failure of the plugin: say what is wrong with a request by a status. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler with nothing to say returns nothing
export type HttpHandler = (request: HttpRequest) => HttpAnswer | void | Promise<HttpAnswer | void>

/** What a client asks. All of it comes from a stranger: it is data, never a path, a shell word or markup. */
export interface HttpRequest extends HttpRequestFacts {
  /** The body as text, UTF-8. */
  text(): string
  /** The body as JSON. @throws CiError `BOLT_HTTP_BODY`, which is answered with 400 and is no failure of the plugin. */
  json(): unknown
  /** The body as a form sends it (`application/x-www-form-urlencoded`). */
  form(): URLSearchParams
}

/** What {@link createHttpRequest} makes a request of. */
export interface HttpRequestFacts {
  readonly method: HttpMethod | 'HEAD'
  /** As it came, without the query: `/builders/full%20test`. */
  readonly path: string
  /** By the names in the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** By lower-case name. Several of one name are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** The address it comes from; behind a trusted proxy the one the proxy names. */
  readonly client: string
  /** True: it came through one of `http.trustedProxies`, so what that says in headers may be believed. */
  readonly proxied: boolean
  /** Scheme and host as the client sees them: `https://ci.example.org`. */
  readonly origin: string
  /** Aborts when the client has gone, the time for an answer is up, or the plugin stops. */
  readonly signal: AbortSignal
}

/** Nothing at all is 204. Safe headers (`nosniff`, a policy that allows no script, no frames) are there unless set otherwise. */
export interface HttpAnswer {
  /** Default 200. */
  readonly status?: number
  /** Text without `content-type` is plain. With an `etag`, a client that has it already is answered with 304. */
  readonly headers?: Readonly<Record<string, string>>
  /** What is iterated is sent as it comes, as fast as the client reads. Its `return` is called when the client goes. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>
  /** In place of `body`: a stream of server-sent events, kept open with heartbeats. */
  readonly events?: AsyncIterable<HttpEvent>
}

/** One server-sent event. */
export interface HttpEvent {
  /** Sent back as header `last-event-id` when the client connects again. */
  readonly id?: string
  /** Its name; default `message`. */
  readonly event?: string
  readonly data: string
}

/**
 * A request from its facts: for the server, and for tests of handlers.
 * @example const request = createHttpRequest({ ...facts, body: new TextEncoder().encode('a=1') })
 */
export function createHttpRequest(facts: HttpRequestFacts): HttpRequest {
  const text = () => new TextDecoder().decode(facts.body)
  return {
    ...facts,
    text,
    json() {
      try {
        return JSON.parse(text())
      } catch (error) {
        throw bodyNotJson(error)
      }
    },
    form: () => new URLSearchParams(text()),
  }
}

const bodyNotJson = (cause: unknown) =>
  new CiError({ code: 'BOLT_HTTP_BODY', message: `The body is not JSON: ${messageOf(cause)}.`, cause })
