import { type Builder, definePlugin } from 'boltbot/plugin-sdk'

export interface MyPluginOptions {
  readonly name: string
  /** What it starts, by object or name. */
  readonly builders: readonly (Builder | string)[]
  /** Changes it waits for; default 10. */
  readonly count?: number
}

/** Starts builds of every so many changes. Its state is stored with the builds: each change counts once, over crashes and restarts. */
export const myPlugin = definePlugin({
  name: 'my-plugin',
  kind: 'scheduler',
  needs: ['schedulers'],
  id: ({ name }: MyPluginOptions) => name,
  apply(host, { name, builders, count = 10 }) {
    host.registerScheduler({
      name,
      builders: builders.map((builder) => (typeof builder === 'string' ? builder : builder.name)),
      initial: [] as readonly number[],
      decide(input, before) {
        const changes = input.kind === 'change' ? [...before, input.change.id] : before
        const missing = count - changes.length
        const isDue = input.kind === 'now' ? changes.length > 0 : missing <= 0 // "now": somebody does not want to wait
        if (isDue) return { state: [], buildsets: [{ reason: `${changes.length} changes`, changes }] }
        return { state: changes, waiting: changes.length === 0 ? null : `waits for ${missing} more changes` }
      },
    })
  },
})
