import type { Carrier, ChatCommand, Clock, Host, Log, Poller, SchedulerRules } from 'boltbot/plugin-sdk'
import { checkSchedulerRules } from './check-scheduler.ts'
import { hostStopped, onlyInApply } from './errors.ts'
import { createFloodGate } from './flood-gate.ts'
import type { OwnedThings } from './owned-things.ts'
import { guardChatCommand } from './plugin-chat.ts'
import { gatePowers, type HostPowers } from './plugin-powers.ts'
import { createPluginRoutes } from './plugin-routes.ts'
import type { PluginTapsParts } from './plugin-taps.ts'
import type { SharedThings } from './shared-things.ts'

/** The whole host of one plugin, and what it registered by it. */
export interface PluginMembers {
  readonly host: Host
  /** Runs `apply`: only in it the plugin may tap and register. */
  applying<T>(apply: () => T): T
  /** Puts in effect what was registered; owned from then on. */
  run(): void
}

export interface PluginMembersDeps {
  readonly plugin: string
  readonly clock: Clock
  readonly log: Log
  /** The plugin's own, whose timers end with it. */
  readonly pluginClock: Clock
  readonly signal: AbortSignal
  readonly taps: PluginTapsParts
  readonly powers: HostPowers
  readonly shared: SharedThings
  readonly owned: OwnedThings
  readonly deadlineMs: number
  readonly isStopped: () => boolean
}

export function createPluginMembers(deps: PluginMembersDeps): PluginMembers {
  const { plugin, clock, log, pluginClock, signal, taps, powers, owned, deadlineMs } = deps
  const schedulers: SchedulerRules[] = []
  const pollers: Poller[] = []
  const chatCommands: ChatCommand[] = []
  const carriers: Carrier[] = []
  let isApplying = false
  const inApply = (member: string) => {
    if (!isApplying) throw onlyInApply(plugin, member)
  }
  const routes = createPluginRoutes({ plugin, clock, taps, deadlineMs, register: powers.http.register, inApply })
  const gated = gatePowers(powers, plugin, () => !deps.isStopped())
  const passFlood = createFloodGate({ plugin, clock, taps })

  const host: Host = Object.freeze({
    ...gated,
    id: plugin,
    log,
    clock: pluginClock,
    signal,
    own: owned.own,
    async share(key, open) {
      if (owned.isClosed) throw hostStopped(plugin)
      const share = await deps.shared.take(key, open)
      owned.own(share)
      return share.thing
    },
    async submitChange(change) {
      await passFlood()
      return gated.submitChange(change)
    },
    tap(name, tap, tapOptions) {
      inApply('tap')
      taps.add(name, tap, tapOptions)
    },
    registerScheduler(rules) {
      inApply('registerScheduler')
      checkSchedulerRules(plugin, rules as unknown as SchedulerRules)
      schedulers.push(rules as unknown as SchedulerRules) // its state is JSON to core, whatever type the plugin gives it
    },
    http: Object.freeze({ route: routes.route, url: powers.http.url, page: powers.http.page }),
    registerPoller(poller) {
      inApply('registerPoller')
      pollers.push(poller)
    },
    registerChatCommand(command) {
      inApply('registerChatCommand')
      chatCommands.push(command)
    },
    registerCarrier(carrier) {
      inApply('registerCarrier')
      carriers.push(carrier)
    },
  } satisfies Host)

  return {
    host,
    applying(apply) {
      isApplying = true
      try {
        return apply()
      } finally {
        isApplying = false
      }
    },
    run() {
      for (const rules of schedulers) owned.keep(powers.registerScheduler(rules), `scheduler "${rules.name}"`)
      for (const poller of pollers) owned.keep(powers.registerPoller(poller), `poller "${poller.name}"`)
      for (const command of chatCommands) {
        const run = guardChatCommand(command, { plugin, clock, taps, deadlineMs })
        owned.keep(powers.registerChatCommand(command, run), `chat command "${command.name}"`)
      }
      for (const carrier of carriers) owned.keep(powers.registerCarrier(carrier), `carrier of ${carrier.scheme}`)
      owned.keep(routes.open(), 'its routes')
    },
  }
}
