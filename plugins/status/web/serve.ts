import { createHash } from 'node:crypto'
import { CiError, type Host, type HttpAnswer, type HttpRequest } from 'boltbot/plugin-sdk'
import { ACTS, formOf, redirect, statusOf } from './acts.ts'
import { notInApi } from './api.ts'
import { type Assets, serveAssets } from './assets.ts'
import { html } from './html.ts'
import { layout, type Page } from './layout.ts'
import { createPageCache } from './page-cache.ts'
import { buildPage } from './pages/build.ts'
import { builderPage } from './pages/builder.ts'
import { buildersPage } from './pages/builders.ts'
import { changePage, changesPage } from './pages/changes.ts'
import { homePage } from './pages/home.ts'
import { liveLog, logPage, rawLog } from './pages/log.ts'
import { missing } from './pages/not-found.ts'
import { requestPage } from './pages/request.ts'
import { schedulerPage, schedulersPage } from './pages/schedulers.ts'
import { slavePage, slavesPage } from './pages/slaves.ts'
import type { Site, Visit } from './site.ts'
import type { Gate } from './who.ts'

const LOG = '/builders/:builder/builds/:number/steps/:step/logs/:log'

const PAGES: readonly (readonly [path: string, page: (visit: Visit) => Promise<Page>])[] = [
  ['/', homePage],
  ['/builders', buildersPage],
  ['/builders/:builder', builderPage],
  ['/builders/:builder/builds/:number', buildPage],
  [LOG, logPage],
  ['/slaves', slavesPage],
  ['/slaves/:slave', slavePage],
  ['/changes', changesPage],
  ['/changes/:change', changePage],
  ['/requests/:request', requestPage],
  ['/schedulers', schedulersPage],
  ['/schedulers/:scheduler', schedulerPage],
  ['/*', async (visit) => missing(visit, 'There is no such page.')],
]

/** Adds all pages, what is done on them, and what keeps them up to date. */
export function servePages(host: Host, site: Site, gate: Gate): void {
  const assets = serveAssets(host, site)
  const cache = createPageCache<HttpAnswer>(host.clock)
  for (const [path, page] of PAGES)
    host.http.route('GET', path, async (request) => {
      if (request.path.startsWith('/api/')) return notInApi()
      const user = await gate.user(request)
      if (typeof user === 'object' && user !== null) return user
      const key = JSON.stringify([user, request.path, `${request.query}`])
      return cache.get(key, async () =>
        show(await page(visitOf(request, user, site, gate)), request, user, { host, site, gate, assets }),
      )
    })
  host.http.route('GET', `${LOG}/raw`, (request) => rawLog(site, request))
  host.http.route('GET', `${LOG}/live`, (request) => liveLog(site, request))
  host.http.route('GET', '/live', ({ query, signal }) => ({
    events: site.live.watch(new Set(query.getAll('topic').slice(0, 20)), signal),
  }))
  host.http.route('GET', '/login', async (request) => {
    const user = await gate.user(request)
    if (typeof user === 'object' && user !== null) return user
    if (user === null) return gate.challenge('Sign in with name and password.')
    const to = request.query.get('to') ?? '/'
    // Only to a page of ours: one slash, no more, and no other host.
    return redirect(
      /^\/(?![/\\])[^\p{Cc}\\]*$/u.test(to) ? site.paths().to(encodeURI(decodeURI(to)).slice(1)) : site.paths().home(),
    )
  })
  for (const [path, act] of ACTS)
    host.http.route('POST', path, async (request) => {
      const stranger = gate.stranger(request)
      if (stranger) return stranger
      const who = await gate.user(request)
      if (typeof who === 'object' && who !== null) return who
      const parts = { host, site, gate, assets }
      if (who === null)
        return gate.canSignIn
          ? gate.challenge('Sign in to do this.')
          : show(refused('Nobody can sign in here.', 403), request, null, parts)
      try {
        return redirect((await act({ site, params: request.params, who, asked: formOf(request) })).page)
      } catch (error) {
        if (!(error instanceof CiError)) throw error
        const text = `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`
        return show(refused(text, statusOf(error)), request, who, parts)
      } finally {
        cache.clear()
      }
    })
}

const refused = (text: string, status: number): Page => ({
  status,
  title: 'Not done',
  main: html`<h1>Not done</h1><p>${text}</p>`,
})

function visitOf({ params, query }: HttpRequest, user: string | null, site: Site, gate: Gate): Visit {
  return { ...site, user, canSignIn: gate.canSignIn, now: site.host.clock.now(), params, query }
}

interface Parts {
  readonly host: Host
  readonly site: Site
  readonly gate: Gate
  readonly assets: Assets
}

/** What pages may do: our own styles, script and pictures; no frames, no plugins, nothing of others. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

function show(page: Page, request: HttpRequest, user: string | null, { host, site, gate, assets }: Parts): HttpAnswer {
  const body = layout(page, {
    paths: site.paths(),
    project: host.query.project(),
    here: request.path,
    user,
    canSignIn: gate.canSignIn,
    assets: assets.urls(),
  })
  const { status = 200 } = page
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      // Pages differ by person, and change: asked for each time, sent only when they are not the same.
      'cache-control': 'private, no-cache',
      vary: 'authorization',
      ...(status === 200 && { etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }),
    },
    body,
  }
}
