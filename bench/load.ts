import { type BuilderOptions, type ForceOrder, masterLock, slaveLock } from 'boltbot/plugin-sdk'

/** A figure's second row, `…, loaded`, is measured with locks, priorities and merging on, though nothing has to wait for them. */
export const PLAIN_AND_LOADED = [false, true] as const

export const rowName = (name: string, loaded: boolean) => (loaded ? `${name}, loaded` : name)

/** Options of a builder that builds on so many slaves, one build on each. */
export function loadOptions(loaded: boolean, slaves: number): Pick<BuilderOptions, 'mergeRequests' | 'locks'> {
  if (!loaded) return { mergeRequests: false }
  const license = masterLock('license', { maxCount: slaves })
  const cpu = slaveLock('cpu', { maxCount: 1 })
  return { mergeRequests: true, locks: [license.access('counting'), cpu.access('counting')] }
}

/** Of the n-th request: others that it could be built with are looked for, and there are none. */
export const loadOrder = (n: number): Pick<ForceOrder, 'priority' | 'revision'> => ({
  priority: n % 5,
  revision: `${n}`,
})
