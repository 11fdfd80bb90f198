import type { Server } from 'node:http'
import type { Clock, Log } from 'boltbot/plugin-sdk'
import type { Config, HttpSpec } from '../config/model.ts'
import { createClients, isLoopback } from './client.ts'
import { routeTaken } from './errors.ts'
import { createRouter, segmentsOf } from './router.ts'
import { createWebServer, listen, type Route } from './server.ts'
import { urlOf } from './url.ts'

/** The one web server of the master: routes come and go with their plugins, the address with the config. */
export interface Http {
  /** @throws CiError `BOLT_HTTP_ROUTE_TAKEN`. */
  register(route: Route): Disposable
  /**
   * Opens what the config asks for, beside what is open already. Nothing else changes until the move is kept or taken back.
   * @throws CiError `BOLT_HTTP_PORT_TAKEN`, `BOLT_HTTP_LISTEN`.
   */
  move(config: HttpConfig): Promise<Move>
  /** Until disposed, requests for unknown pages wait: plugins are being exchanged, and theirs may come back. */
  hold(): Disposable
  /** With `/` at its end; `null`: nothing listens. */
  url(): string | null
  /** The address of a page that a route of its own serves; `null`: there is none. */
  page(path: string): string | null
  /** No new connections. */
  close(): void
  stop(): Promise<void>
}

export type HttpConfig = Pick<Config, 'http' | 'buildbotURL'>

export interface Move {
  keep(): Promise<void>
  undo(): Promise<void>
}

/** Longer than a plugin may take to start and stop; a client that waits longer has given up itself. */
const HOLD_MS = 15_000
/** For answers under way when a server is closed. */
const GRACE_MS = 2000

export function createHttp({ clock, log }: { readonly clock: Clock; readonly log: Log }): Http {
  const router = createRouter<Route>()
  let config: HttpConfig = { http: null, buildbotURL: null }
  let open: Opened | null = null
  let held = 0
  let released = Promise.withResolvers<void>()
  let clientOf = createClients({ trustedProxies: [] })

  const bring = async (next: HttpConfig): Promise<Opened | null> => {
    const { http } = next
    if (http === null) return null
    if (open !== null && isSamePlace(open.spec, http)) return { ...open, spec: http }
    const server = createWebServer({
      clock,
      log,
      clientOf: (request) => clientOf(request),
      async find(method, segments) {
        const found = router.find(method, segments)
        if (found.served !== undefined || held === 0) return found
        using _ = clock.timer(HOLD_MS, () => released.resolve())
        await released.promise
        return router.find(method, segments)
      },
      fallback: (method) => router.fallback(method),
      prefix: () => (config.buildbotURL === null ? '' : new URL(config.buildbotURL).pathname.replace(/\/+$/, '')),
      publicHost: () => (config.buildbotURL === null ? null : new URL(config.buildbotURL).host),
      loopback: isLoopback(http.host),
    })
    const port = await listen(server, http.port, http.host)
    server.on('error', (error) => log.error('web server failed', { error }))
    return { spec: http, server, port }
  }

  return {
    register(route) {
      const handle = router.add(route.method, route.path, route)
      if (handle) return handle
      const by = router.serving(route.method, route.path)
      throw routeTaken(route.plugin, `${route.method} ${route.path}`, by?.plugin ?? '')
    },
    async move(next) {
      const [before, previous] = [open, config]
      const after = await bring(next)
      open = after
      config = next
      clientOf = createClients(next.http ?? { trustedProxies: [] })
      return {
        async keep() {
          if (before !== null && before.server !== after?.server) await shut(before)
          if (after !== null && after.server !== before?.server)
            log.info('pages are served', { url: publicUrl(), host: after.spec.host, port: after.port })
        },
        async undo() {
          open = before
          config = previous
          clientOf = createClients(previous.http ?? { trustedProxies: [] })
          if (after !== null && after.server !== before?.server) await shut(after)
        },
      }
    },
    hold() {
      if (held++ === 0) released = Promise.withResolvers()
      return { [Symbol.dispose]: () => void (--held === 0 && released.resolve()) }
    },
    url: publicUrl,
    page(path) {
      const base = publicUrl()
      const segments = segmentsOf(path)
      if (base === null || segments === undefined || router.find('GET', segments).served === undefined) return null
      return base + path.slice(1)
    },
    close() {
      if (open) endOf(open)
    },
    async stop() {
      released.resolve()
      if (open) await shut(open)
      open = null
    },
  }

  /** Takes no more connections; resolves when those there are have ended. */
  function endOf(opened: Opened): Promise<void> {
    opened.ended ??= new Promise((resolve) => opened.server.close(() => resolve()))
    opened.server.closeIdleConnections()
    return opened.ended
  }

  async function shut(opened: Opened): Promise<void> {
    const ended = endOf(opened)
    using _ = clock.timer(GRACE_MS, () => opened.server.closeAllConnections())
    await ended
  }

  function publicUrl(): string | null {
    return config.http === null || open === null ? null : urlOf(config, open.spec.host, open.port)
  }
}

interface Opened {
  readonly spec: HttpSpec
  readonly server: Server
  readonly port: number
  /** Set when it is being closed. */
  ended?: Promise<void>
}

const isSamePlace = (a: HttpSpec, b: HttpSpec) => a.port === b.port && a.host === b.host
