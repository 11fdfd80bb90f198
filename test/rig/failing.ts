import type { Rig } from './rig.ts'

/** Lets the transitions of this name fail so often, as a full disk would. */
export function failing(rig: Rig, name: string, times: number): void {
  const { transition } = rig.store
  let left = times
  const flaky: typeof transition = (called, ...rest) =>
    called === name && left-- > 0 ? Promise.reject(new Error('disk full')) : transition(called, ...rest)
  Object.assign(rig.store, { transition: flaky })
}
