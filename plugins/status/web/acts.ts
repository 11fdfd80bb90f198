import type { CiError, Host, HttpAnswer, HttpRequest, Json } from 'boltbot/plugin-sdk'
import { unknownBuild } from './errors.ts'
import { buildOf } from './pages/build.ts'
import { numberOf, type Site } from './site.ts'

/** What people may do, by page and by API alike; each passes the master's guard. Resolves with what to show then. */
export type Act = (order: Order) => Promise<Done>

export interface Order {
  readonly site: Site
  readonly params: Readonly<Record<string, string>>
  readonly who: string
  readonly asked: Asked
}

/** What a form or an API call says. */
export interface Asked {
  readonly reason?: string
  readonly branch?: string
  readonly revision?: string
  readonly properties?: Readonly<Record<string, Json>>
  readonly priority?: number
}

export interface Done {
  /** The page to go on with. */
  readonly page: string
  /** For programs. */
  readonly result: Json
}

export const force: Act = async ({ site, params, who, asked }) => {
  const { branch, revision, properties, priority } = asked
  const { buildset, requests, warning } = await site.host.force({
    builder: params.builder ?? '',
    who,
    reason: asked.reason || 'asked for on the web',
    ...(branch && { branch }),
    ...(revision && { revision }),
    ...(properties && { properties }),
    ...(priority !== undefined && { priority }),
  })
  const page =
    requests[0] === undefined ? site.paths().builder(params.builder ?? '') : site.paths().request(requests[0])
  return { page, result: { buildset, requests: [...requests], warning } }
}

export const stopBuild: Act = async ({ site, params, who, asked }) => {
  const build = await knownBuild(site.host, params)
  await site.host.stop({ build: build.id, who, reason: asked.reason || 'stopped on the web' })
  return { page: site.paths().build(build.builder, build.number), result: { build: build.id } }
}

export const rebuild: Act = async ({ site, params, who, asked }) => {
  const build = await knownBuild(site.host, params)
  const again = await site.host.rebuild({
    build: build.id,
    who,
    reason: asked.reason || `#${build.number} again, asked for on the web`,
  })
  const page =
    again.requests[0] === undefined ? site.paths().builder(build.builder) : site.paths().request(again.requests[0])
  return { page, result: { buildset: again.buildset, requests: [...again.requests], warning: again.warning } }
}

export const cancel: Act = async ({ site, params, who, asked }) => {
  const request = numberOf(params.request) ?? -1
  await site.host.cancel({ request, who, reason: asked.reason || 'cancelled on the web' })
  return { page: site.paths().request(request), result: { request } }
}

export const ACTS = [
  ['/builders/:builder/force', force],
  ['/builders/:builder/builds/:number/stop', stopBuild],
  ['/builders/:builder/builds/:number/rebuild', rebuild],
  ['/requests/:request/cancel', cancel],
] as const

/** What a form of ours says. */
export function formOf(request: HttpRequest): Asked {
  const form = request.form()
  const text = (name: string) => form.get(name)?.trim().slice(0, 1000) ?? ''
  const names = [...form.keys()].filter((key) => /^name\d$/.test(key) && text(key) !== '')
  const properties = Object.fromEntries(names.map((key) => [text(key), text(key.replace('name', 'value'))]))
  return {
    reason: text('reason'),
    branch: text('branch'),
    revision: text('revision'),
    ...(names.length > 0 && { properties }),
  }
}

/** The status for what the master said of an act. */
export function statusOf(error: CiError): number {
  if (/_UNKNOWN/.test(error.code)) return 404
  if (/_NOT_RUNNING|_NOT_WAITING|_NEVER_RUNNABLE/.test(error.code)) return 409
  if (/_INVALID|_PROPERTY|_EMPTY/.test(error.code)) return 400
  return 403
}

async function knownBuild(host: Host, params: Order['params']) {
  const build = await buildOf({ host, params })
  if (build) return build
  throw unknownBuild(params.builder ?? '', params.number ?? '')
}

export const redirect = (to: string): HttpAnswer => ({
  status: 303,
  headers: { location: to, 'cache-control': 'no-store' },
})
