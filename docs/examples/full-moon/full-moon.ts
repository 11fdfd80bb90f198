import { type Builder, definePlugin } from 'boltbot/plugin-sdk'

export interface FullMoonOptions {
  readonly name: string
  readonly builders: readonly Builder[]
}

/** A new moon of 6 January 2000, and the mean time between two: good to a day. */
const NEW_MOON = Date.UTC(2000, 0, 6, 18, 14)
const MONTH_MS = 29.530588853 * 86_400_000

/** Builds at each full moon. A master that was down at the moment builds once when it is back. */
export const fullMoon = definePlugin({
  name: 'full-moon',
  kind: 'scheduler',
  needs: ['schedulers'],
  id: ({ name }: FullMoonOptions) => name,
  apply(host, { name, builders }) {
    host.registerScheduler({
      name,
      builders: builders.map((builder) => builder.name),
      initial: null as number | null, // the full moon it waits for
      decide(input, next, now) {
        const isDue = input.kind === 'now' || (next !== null && now >= next)
        const wakeAt = nextFullMoon(now)
        return { state: wakeAt, wakeAt, buildsets: isDue ? [{ reason: 'The moon is full.' }] : [] }
      },
    })
  },
})

export function nextFullMoon(after: number): number {
  const first = NEW_MOON + MONTH_MS / 2
  return Math.round(first + (Math.floor((after - first) / MONTH_MS) + 1) * MONTH_MS)
}
