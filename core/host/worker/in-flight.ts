import type { Rpc } from './rpc.ts'

const MOST = 64

/** Calls to the master of which so many are under way at a time; others wait here, in the memory of the plugin's own thread. */
export function createInFlight(rpc: Pick<Rpc, 'call'>): Rpc['call'] {
  let underWay = 0
  const waiting: (() => void)[] = []
  return async (method, args, options) => {
    if (underWay >= MOST) await new Promise<void>((go) => waiting.push(go))
    else underWay++
    try {
      return await rpc.call(method, args, options)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else underWay--
    }
  }
}
