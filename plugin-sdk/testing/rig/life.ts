import type { Threads } from '../../../core/host/worker/threads.ts'
import { createMaster } from '../../../core/master.ts'
import type { Master } from '../../../core/master-api.ts'
import { createRedactor } from '../../../core/redact.ts'
import type { LogStore } from '../../../core/store/log-store.ts'
import type { Store } from '../../../core/store/store.ts'
import type { Clock } from '../../clock.ts'
import type { MasterConfig } from '../../config.ts'
import type { Host } from '../../host.ts'
import { definePlugin } from '../../plugin.ts'
import type { SlaveDoor } from '../../slave-transport.ts'
import { misused } from '../errors.ts'
import type { FakeClock } from '../fake-clock.ts'
import type { MemoryLog } from '../memory-log.ts'
import { createSeededRandom } from '../seeded-random.ts'
import { rigConfig } from './config.ts'
import { driven } from './driven.ts'
import { createPostman } from './mails.ts'
import { createLifeSockets, type LifeSockets } from './sockets.ts'
import type { RigStage } from './stage.ts'
import { createRecorder, type RigEvent } from './story.ts'

/** One process of the master: it ends by being stopped, or by being killed. */
export interface Life {
  readonly master: Master
  /** Where slaves come in. */
  readonly door: SlaveDoor
  /** Where pages are served; empty: nowhere. */
  url(): string
  reconfigure(config: MasterConfig): Promise<readonly string[]>
  stop(): Promise<void>
  /** Nothing is stopped or flushed: none of its timers fires any more. */
  kill(): void
}

export interface LifeParts {
  readonly config: MasterConfig
  readonly clock: FakeClock
  readonly log: MemoryLog
  readonly basedir: string
  readonly store: Store
  readonly logStore: LogStore
  readonly secrets: Readonly<Record<string, string>>
  readonly seed: number
  readonly world: RigStage
  readonly told: (event: RigEvent) => void
  /** Where plugins with `isolation: 'worker'` have their threads; `null`: in none. */
  readonly threads: Threads | null
}

/** Starts a master over what an earlier one may have left in the store. */
export function startLife(parts: LifeParts): Promise<Life> {
  const sockets = createLifeSockets()
  return sockets.run(() => startIn(sockets, parts))
}

async function startIn(sockets: LifeSockets, parts: LifeParts): Promise<Life> {
  const { clock, log, store, logStore, basedir, world } = parts
  let host: Host | undefined
  const transport = definePlugin({
    name: 'rig/slaves',
    kind: 'slave',
    needs: ['slaves'],
    startsSlaves: true,
    apply(given) {
      host = given
    },
  })()
  const own = [createRecorder(parts.told), createPostman(world.took)]
  const complete = (config: MasterConfig) => rigConfig(config, transport, own, world.stage, parts.threads !== null)
  const mortal = createMortalClock(clock, sockets)
  const redactor = createRedactor()
  const master = await createMaster({
    config: complete(parts.config),
    basedir,
    clock: mortal.clock,
    random: createSeededRandom(parts.seed),
    log,
    store,
    logStore,
    secrets: {
      resolve(value) {
        if (typeof value === 'string') return value
        const secret = parts.secrets[value.name]
        if (secret === undefined)
          throw misused('rig', `asked for the secret "${value.name}", which the test did not give`)
        return secret
      },
    },
    redactor: () => redactor.stream(),
    redact: redactor.text,
    hide: redactor.add,
    ...(parts.threads && { threads: parts.threads }),
  })
  await driven(clock, master.start())
  return {
    master,
    door: host!.slaves, // applied by the start
    url: () => host!.http.url() ?? '',
    reconfigure: (config) =>
      driven(
        clock,
        sockets.run(() => master.reconfigure(complete(config), { who: 'test', via: 'rig' })),
      ),
    stop: () => driven(clock, master.stop()),
    kill() {
      mortal.kill()
      sockets.kill()
      parts.threads?.vanish()
      world.kill()
    },
  }
}

/** The clock of one process: when that is killed its timers are gone, and its sleeps never end. What they do is its own. */
function createMortalClock(clock: Clock, sockets: LifeSockets): { readonly clock: Clock; kill(): void } {
  const timers = new Set<Disposable>()
  let killed = false
  return {
    clock: {
      now: clock.now,
      timer(ms, fire) {
        if (killed) return { [Symbol.dispose]() {} }
        const timer = clock.timer(ms, () => {
          timers.delete(timer)
          sockets.run(fire)
        })
        timers.add(timer)
        return {
          [Symbol.dispose]() {
            timers.delete(timer)
            timer[Symbol.dispose]()
          },
        }
      },
      sleep(ms, signal) {
        const slept = Promise.withResolvers<void>()
        const timer = this.timer(ms, slept.resolve)
        const abort = () => {
          timer[Symbol.dispose]()
          if (!killed) slept.reject(signal?.reason)
        }
        if (signal?.aborted) abort()
        signal?.addEventListener('abort', abort, { once: true })
        return slept.promise.finally(() => signal?.removeEventListener('abort', abort))
      },
    },
    kill() {
      killed = true
      for (const timer of timers) timer[Symbol.dispose]()
      timers.clear()
    },
  }
}
