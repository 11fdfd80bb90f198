import { createHttpRequest, type HttpAnswer, type HttpHandler, type HttpMethod } from '../http.ts'

/** A request to a route of the plugin under test. */
export interface TestRequest {
  /** Default GET. */
  readonly method?: HttpMethod
  /** With its query: `/builders/full?page=2`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Default `127.0.0.1`. */
  readonly client?: string
  /** Default false. */
  readonly proxied?: boolean
  readonly signal?: AbortSignal
}

export interface TestRoute {
  readonly method: HttpMethod
  readonly path: string
  readonly handler: HttpHandler
}

export async function requestRoute(
  routes: readonly TestRoute[],
  asked: TestRequest,
  ending: AbortSignal,
): Promise<HttpAnswer | undefined> {
  const { method = 'GET', path, headers = {}, body = '', client = '127.0.0.1', proxied = false } = asked
  const [pathname = '/', ...search] = path.split('?')
  for (const route of routes) {
    const params = route.method === method ? match(route.path, pathname) : undefined
    if (params === undefined) continue
    const request = createHttpRequest({
      method,
      path: pathname,
      params,
      query: new URLSearchParams(search.join('?')),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
      client,
      proxied,
      origin: 'http://localhost:8010',
      signal: asked.signal ? AbortSignal.any([asked.signal, ending]) : ending,
    })
    return (await route.handler(request)) ?? { status: 204 }
  }
  return undefined
}

function match(wanted: string, given: string): Readonly<Record<string, string>> | undefined {
  const [parts, words] = [wanted.split('/'), given.split('/').map(decodeURIComponent)]
  if (parts.length !== words.length || !parts.every((part, i) => part.startsWith(':') || part === words[i]))
    return undefined
  return Object.fromEntries(parts.flatMap((part, i) => (part.startsWith(':') ? [[part.slice(1), words[i]!]] : [])))
}
