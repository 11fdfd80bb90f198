import { definePlugin } from 'boltbot/plugin-sdk'
import { type FreshCvs, type FreshCvsOptions, freshCvsSchema } from './options.ts'
import { type Supervisor, supervise } from './supervisor.ts'

export type { FreshCvsOptions } from './options.ts'

/**
 * Commits that a FreshCVS daemon (CVSToys) tells of as they happen.
 * @example sources: [freshCvs({ host: 'cvs.example.org', user: 'foo', password: secret('freshcvs'), prefix: 'hello/' })]
 */
export const freshCvs = definePlugin<'source', FreshCvsOptions, FreshCvs>({
  name: 'changes/freshcvs',
  kind: 'source',
  needs: ['changes', 'pollers', 'secrets'],
  schema: freshCvsSchema,
  id: ({ host, port = 4519 }) => `freshcvs ${host}:${port}`,
  apply(host, options) {
    const address = `freshcvs://${options.host}:${options.port}`
    let supervisor: Supervisor | undefined
    // What looks after the link is a poller, so that people see how it fares where they look for all sources.
    host.registerPoller({
      name: 'link',
      repository: address,
      interval: options.keepalive / 1000,
      deadline: '2m',
      async poll() {
        supervisor ??= host.own(
          supervise(host, options, () => {
            host.pollSoon(address).catch(() => {}) // it is told at the next interval as well
          }),
        )
        await supervisor.check()
      },
    })
  },
})
