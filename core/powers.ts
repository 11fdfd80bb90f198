import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isJson, type People, type Query, type Secrets } from 'boltbot/plugin-sdk'
import { type Actions, asker } from './actions.ts'
import type { Buildsets } from './buildsets.ts'
import type { Changes } from './changes.ts'
import type { ChatCore } from './chat/chat.ts'
import type { ProgramActs } from './chat/command.ts'
import { noProgram } from './errors.ts'
import { stateNotJson } from './host/errors.ts'
import type { HostPowers } from './host/plugin-powers.ts'
import type { Http } from './http/http.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { Pollers } from './pollers.ts'
import type { Scheduling } from './scheduling.ts'
import type { SlaveActions } from './slave-actions.ts'
import type { SlavePool } from './slave-pool.ts'
import { deletePluginState, getPluginState, setPluginState } from './store/plugin-state.ts'
import type { Store } from './store/store.ts'
import type { Triggers } from './triggers.ts'

export interface PowersDeps {
  readonly store: Store
  readonly basedir: string
  readonly changes: Changes
  readonly buildsets: Buildsets
  readonly actions: Actions & SlaveActions
  readonly query: Query
  readonly secrets: Secrets
  readonly people: () => People
  readonly pool: Pick<SlavePool, 'door' | 'registerEngine'>
  readonly scheduling: Scheduling
  readonly waitFor: Triggers['waitFor']
  readonly pollers: Pollers
  readonly chat: ChatCore
  readonly program?: ProgramActs
  readonly outbox: Pick<Outbox, 'notify' | 'register'>
  readonly http: Http
  /** Whether the config has a web server. */
  readonly serves: () => boolean
}

/** The powers of one plugin: what it does carries its id. */
export function createPowers(deps: PowersDeps): (id: string) => HostPowers {
  const { store, actions } = deps
  return (id) => {
    const via = `plugin:${id}`
    return {
      submitChange: (change) => deps.changes.submit(change, id),
      waitFor: (buildset, { signal } = {}) => deps.waitFor(buildset, signal),
      async submitBuildset(buildset) {
        return { ...(await deps.buildsets.submit(buildset)), warning: null }
      },
      force: (order) => actions.force(order, via),
      stop: (order) => actions.stopBuild(order, via),
      cancel: (order) => actions.cancel(order, via),
      rebuild: (order) => actions.rebuild(order, via),
      pause: (order) => actions.pauseSlave(order, via),
      resume: (order) => actions.resumeSlave(order, via),
      async reconfigure(order) {
        if (deps.program === undefined) throw noProgram()
        return deps.program.reconfigure(asker(order, via))
      },
      notify: (notice) => deps.outbox.notify(id, notice),
      query: deps.query,
      state: {
        get: (key) => getPluginState(store, id, key),
        async set(key, value) {
          if (!isJson(value)) throw stateNotJson(id, key)
          return setPluginState(store, id, key, value)
        },
        delete: (key) => deletePluginState(store, id, key),
      },
      async directory() {
        const path = join(deps.basedir, 'data', id.replace(/[^\w.-]+/g, '_'))
        await mkdir(path, { recursive: true, mode: 0o700 })
        return path
      },
      secrets: deps.secrets,
      people: {
        mailAddress: (who) => deps.people().mailAddress(who),
        ircIdentities: (who) => deps.people().ircIdentities(who),
        interested: (build, by) => deps.people().interested(build, by),
      },
      slaves: { ...deps.pool.door, registerEngine: (engine) => deps.pool.registerEngine(id, engine) },
      registerScheduler: (rules) => deps.scheduling.register(rules),
      registerPoller: (poller) => deps.pollers.register(id, poller),
      registerChatCommand: (command, run) => deps.chat.register(id, command, run),
      openChat: (place) => deps.chat.open(place),
      registerCarrier: (carrier) => deps.outbox.register(id, carrier),
      pollSoon: async (repository, options) => deps.pollers.pollSoon(repository, options),
      http: { register: deps.serves() ? deps.http.register : null, url: deps.http.url, page: deps.http.page },
    }
  }
}
