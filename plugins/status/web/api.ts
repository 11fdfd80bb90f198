import { CiError, type Host, type HttpAnswer, type HttpRequest, isJson, type Json } from 'boltbot/plugin-sdk'
import { ACTS, type Asked, statusOf } from './acts.ts'
import { badOrder } from './errors.ts'
import { buildOf } from './pages/build.ts'
import { numberOf, type Site } from './site.ts'
import type { Gate } from './who.ts'

/** The JSON of `/api/v1`: what the pages show, for programs. The shapes are those of the plugin SDK. */
export function serveApi(host: Host, site: Site, gate: Gate): void {
  const get = (path: string, read: Read) =>
    host.http.route('GET', `/api/v1${path}`, async (request) => {
      const user = await gate.user(request)
      if (typeof user === 'object' && user !== null) return user
      const found = await read(host, request)
      return found === undefined ? notInApi() : json(200, found)
    })
  for (const [path, read] of READS) get(path, read)
  get('', async () => ({
    get: READS.map(([path]) => `api/v1${path}`),
    post: ACTS.map(([path]) => `api/v1${path}`),
  }))

  for (const [path, act] of ACTS)
    host.http.route('POST', `/api/v1${path}`, async (request) => {
      const stranger = gate.stranger(request)
      if (stranger) return stranger
      const who = await gate.user(request)
      if (typeof who === 'object' && who !== null) return who
      if (who === null) return gate.challenge('Sign in to do this.')
      try {
        const { result } = await act({ site, params: request.params, who, asked: orderOf(request) })
        return json(202, result)
      } catch (error) {
        if (!(error instanceof CiError) || error.code === 'BOLT_HTTP_BODY') throw error
        return failure(statusOf(error), error.code, error.message, error.hint)
      }
    })
}

type Read = (host: Host, request: HttpRequest) => Promise<unknown>

const READS: readonly (readonly [path: string, read: Read])[] = [
  ['/builders', ({ query }) => query.builders()],
  ['/builders/:builder', ({ query }, { params }) => query.builder(params.builder!)],
  [
    '/builders/:builder/builds',
    async ({ query }, request) => {
      const builder = await query.builder(request.params.builder!)
      if (!builder) return undefined
      return query.builds({ builder: builder.name, ...paging(request) })
    },
  ],
  ['/builders/:builder/builds/:number', (host, { params }) => buildOf({ host, params })],
  ['/builds', ({ query }, request) => query.builds(paging(request))],
  ['/requests', ({ query }) => query.requests({ limit: 1000 })],
  [
    '/requests/:request',
    async ({ query }, { params }) => {
      const request = await query.request(numberOf(params.request) ?? -1)
      return request && { ...request, why: (await query.why(request.id)) ?? null }
    },
  ],
  ['/slaves', ({ query }) => query.slaves()],
  ['/changes', ({ query }, request) => query.changes(paging(request))],
  ['/changes/:change', ({ query }, { params }) => query.change(numberOf(params.change) ?? -1)],
  ['/schedulers', ({ query }) => query.schedulers()],
]

/** `?limit=` up to 200, `?before=` an id: older than that one. */
function paging({ query }: HttpRequest): { readonly limit: number; readonly before?: number } {
  const [limit, before] = [numberOf(query.get('limit')), numberOf(query.get('before'))]
  return { limit: Math.min(200, limit ?? 50), ...(before !== undefined && { before }) }
}

function orderOf(request: HttpRequest): Asked {
  const body = request.body.length === 0 ? {} : request.json()
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badOrder('it is no object')
  const { reason, branch, revision, properties, priority, values, builders, ...rest } = body as Readonly<
    Record<string, unknown>
  > // any object may be asked
  const odd = Object.keys(rest)[0]
  if (odd !== undefined) throw badOrder(`"${odd}" is not known here`)
  for (const [name, value] of Object.entries({ reason, branch, revision }))
    if (value !== undefined && typeof value !== 'string') throw badOrder(`"${name}" is no text`)
  if (priority !== undefined && !Number.isSafeInteger(priority)) throw badOrder('"priority" is no whole number')
  if (properties !== undefined && !isProperties(properties)) throw badOrder('"properties" is no object of JSON values')
  if (values !== undefined && !isProperties(values)) throw badOrder('"values" is no object of JSON values')
  if (builders !== undefined && !isNames(builders)) throw badOrder('"builders" is no list of names')
  return body as Asked // as was just looked at
}

const isNames = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string')

const isProperties = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && isJson(value)

const json = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: `${JSON.stringify(body)}\n`,
})

export const notInApi = () => failure(404, 'NOT_FOUND', 'There is nothing here.')

const failure = (code: number, name: string, message: string, hint?: string) =>
  json(code, { error: { code: name, message, ...(hint !== undefined && { hint }) } })
