import type { CiError, FormValues, Host, HttpAnswer, HttpRequest, Json } from 'boltbot/plugin-sdk'
import { unknownBuild } from './errors.ts'
import { buildOf } from './pages/build.ts'
import { formValues } from './parts/form.ts'
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
  /** Of a scheduler with a form: by name of the field. */
  readonly values?: FormValues
  readonly builders?: readonly string[]
  /** The same, as a page sends it. */
  readonly form?: URLSearchParams
}

export interface Done {
  /** The page to go on with. */
  readonly page: string
  /** For programs. */
  readonly result: Json
}

/** The person, with what is known of them for sure: signed in here as this name. */
const personOf = ({ who }: Order) => ({ who, proofs: [`person:${who}`] })

export const force: Act = async (order) => {
  const { site, params, asked } = order
  const { branch, revision, properties, priority } = asked
  const { buildset, requests, warning } = await site.host.force({
    ...personOf(order),
    builder: params.builder ?? '',
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

/** Has a scheduler build by what was filled in in its form. */
const forceByForm: Act = async (order) => {
  const { site, params, asked } = order
  const scheduler = params.scheduler ?? ''
  const fields = (await site.host.query.schedulers()).find(({ name }) => name === scheduler)?.form
  const values = asked.form ? formValues(fields ?? [], asked.form) : asked.values
  const builders = asked.form ? asked.form.getAll('builder') : asked.builders
  const { buildset, requests, warning } = await site.host.force({
    ...personOf(order),
    scheduler,
    ...(values && { values }),
    ...(builders && builders.length > 0 && { builders }),
  })
  const [first] = requests
  const page = requests.length === 1 && first !== undefined ? site.paths().request(first) : site.paths().builders()
  return { page, result: { buildset, requests: [...requests], warning } }
}

export const stopBuild: Act = async (order) => {
  const { site, params, asked } = order
  const build = await knownBuild(site.host, params)
  await site.host.stop({ ...personOf(order), build: build.id, reason: asked.reason || 'stopped on the web' })
  return { page: site.paths().build(build.builder, build.number), result: { build: build.id } }
}

export const rebuild: Act = async (order) => {
  const { site, params, asked } = order
  const build = await knownBuild(site.host, params)
  const again = await site.host.rebuild({
    ...personOf(order),
    build: build.id,
    reason: asked.reason || `#${build.number} again, asked for on the web`,
  })
  const page =
    again.requests[0] === undefined ? site.paths().builder(build.builder) : site.paths().request(again.requests[0])
  return { page, result: { buildset: again.buildset, requests: [...again.requests], warning: again.warning } }
}

export const cancel: Act = async (order) => {
  const { site, params, asked } = order
  const request = numberOf(params.request) ?? -1
  await site.host.cancel({ ...personOf(order), request, reason: asked.reason || 'cancelled on the web' })
  return { page: site.paths().request(request), result: { request } }
}

export const ACTS = [
  ['/builders/:builder/force', force],
  ['/builders/:builder/builds/:number/stop', stopBuild],
  ['/builders/:builder/builds/:number/rebuild', rebuild],
  ['/requests/:request/cancel', cancel],
  ['/schedulers/:scheduler/force', forceByForm],
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
    form,
    ...(names.length > 0 && { properties }),
  }
}

/** The status for what the master said of an act. */
export function statusOf(error: CiError): number {
  if (/_UNKNOWN/.test(error.code)) return 404
  if (/_NOT_RUNNING|_NOT_WAITING|_NEVER_RUNNABLE/.test(error.code)) return 409
  if (/_INVALID|_PROPERTY|_EMPTY|_FORM/.test(error.code)) return 400
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
