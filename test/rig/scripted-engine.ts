import { definePlugin, type InstanceKey, type InstanceSpec, type LatentEngine } from 'boltbot/plugin-sdk'

/** An engine whose instances are a list: what happens to them says the test. It outlives the masters that use it. */
export interface ScriptedEngine {
  readonly engine: LatentEngine
  /** All it was asked: `submit bot 1`, `find bot 1`, `cancel bot 1`. */
  readonly asked: readonly string[]
  /** What there is. */
  readonly instances: Map<string, { readonly key: InstanceKey; readonly spec: InstanceSpec }>
  /**
   * How the next orders go: they are taken (default), refused, the answer is lost on the way or never comes, or the order itself is
   * late: its instance is there after `deliver`, whatever was cancelled before.
   */
  answer: 'taken' | 'refused' | 'lost' | 'never' | 'late'
  deliver(): void
  /** Calls of `cancel` fail. */
  sticky: boolean
  /** The instance ends by itself. */
  die(slave: string, reason: string): void
  /** The plugin of a config that offers it. */
  plugin(): ReturnType<typeof offering>
}

const offering = definePlugin({
  name: 'rig/engine',
  kind: 'slave',
  needs: ['slaves'],
  hasEngine: true,
  apply() {},
  start(host, { engine }: { readonly engine: () => LatentEngine }) {
    host.own(host.slaves.registerEngine(engine()))
  },
})

export function createScriptedEngine(): ScriptedEngine {
  const asked: string[] = []
  const instances: ScriptedEngine['instances'] = new Map()
  const late: { readonly key: InstanceKey; readonly spec: InstanceSpec }[] = []
  const listeners = new Set<(key: InstanceKey, reason: string) => void>()
  const idOf = (key: InstanceKey) => `${key.slave} ${key.epoch}`
  const engine: LatentEngine = {
    async submit(spec, key) {
      asked.push(`submit ${idOf(key)}`)
      if (scripted.answer === 'refused') throw new Error('no machines left')
      if (scripted.answer === 'late') {
        late.push({ key, spec })
        throw new Error('the line is slow')
      }
      instances.set(idOf(key), { key, spec })
      if (scripted.answer === 'lost') throw new Error('the line is dead')
      if (scripted.answer === 'never') await new Promise(() => {})
    },
    async find(key) {
      asked.push(`find ${idOf(key)}`)
      return instances.has(idOf(key))
    },
    async cancel(key) {
      asked.push(`cancel ${idOf(key)}`)
      if (scripted.sticky) throw new Error('it sticks')
      instances.delete(idOf(key))
    },
    list: async () => [...instances.values()].map(({ key }) => key),
    observe(gone) {
      listeners.add(gone)
      return { [Symbol.dispose]: () => void listeners.delete(gone) }
    },
  }
  const scripted: ScriptedEngine = {
    engine,
    asked,
    instances,
    answer: 'taken',
    sticky: false,
    deliver() {
      for (const { key, spec } of late.splice(0)) instances.set(idOf(key), { key, spec })
    },
    die(slave, reason) {
      for (const [id, { key }] of instances) {
        if (key.slave !== slave) continue
        instances.delete(id)
        for (const listener of listeners) listener(key, reason)
      }
    },
    plugin: () => offering({ engine: () => engine }),
  }
  return scripted
}
