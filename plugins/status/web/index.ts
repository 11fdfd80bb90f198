import { definePlugin } from 'boltbot/plugin-sdk'
import { serveApi } from './api.ts'
import { createLive } from './live.ts'
import { webSchema } from './options.ts'
import { createPaths } from './paths.ts'
import { createRecent } from './recent.ts'
import { servePages } from './serve.ts'
import type { Site } from './site.ts'
import { createGate } from './who.ts'

export type { WebOptions } from './options.ts'

/**
 * Web pages: builders, builds with their steps and logs, slaves, changes; live, and of use without a script. Who signs in may force, stop and
 * cancel; everybody else looks.
 * @example
 * web({ users: { jane: secret('web-jane') } }) // beside http: { port: 8010 } of the config
 */
export const web = definePlugin({
  name: 'status/web',
  kind: 'status',
  needs: ['http', 'force', 'stop', 'cancel', 'secrets'],
  schema: webSchema,
  apply(host, access) {
    const site: Site = {
      host,
      recent: createRecent(host),
      live: createLive(host),
      paths: () => createPaths(host.http.url() ?? '/'),
    }
    const gate = createGate(host, access)
    servePages(host, site, gate)
    serveApi(host, site, gate)
  },
})
