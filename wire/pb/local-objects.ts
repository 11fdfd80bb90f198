import { latin1 } from './bytes.ts'
import { JellyProblem } from './jelly-problem.ts'
import type { Sexp } from './sexp.ts'
import type { Referenceable } from './values.ts'

/** Objects of ours that the other end knows by number. Numbers count from 1 and are never given twice. */
export interface LocalObjects {
  /** The number of an object that is about to be sent. @throws JellyProblem when the other end holds too many. */
  readonly expose: (object: Referenceable) => number
  /** @throws JellyProblem when there is no such object. */
  readonly get: (luid: Sexp | undefined) => Referenceable
  /** The other end dropped one reference. What is unknown was released here before. */
  decref(luid: Sexp | undefined): void
  readonly release: (object: Referenceable) => void
  clear(): void
}

/** Real workers drop references late or never, so commands are released by us; this is for those who ask for objects without end. */
const MOST = 20_000

export function createLocalObjects(root: Referenceable | undefined): LocalObjects {
  const byLuid = new Map<number, { readonly object: Referenceable; count: number }>()
  const luids = new Map<Referenceable, number>()
  let last = 0

  function forget(luid: number, object: Referenceable): void {
    byLuid.delete(luid)
    luids.delete(object)
  }

  return {
    expose(object) {
      const known = luids.get(object)
      if (known !== undefined) {
        byLuid.get(known)!.count++
        return known
      }
      if (byLuid.size >= MOST) throw new JellyProblem('The other end holds too many objects.')
      const luid = ++last
      byLuid.set(luid, { object, count: 1 })
      luids.set(object, luid)
      return luid
    },
    get(luid) {
      const object = isRoot(luid) ? root : byLuid.get(luid as number)?.object // others are no keys
      if (object === undefined) throw new JellyProblem('Invalid Object ID')
      return object
    },
    decref(luid) {
      const known = byLuid.get(luid as number) // others are no keys
      if (known !== undefined && --known.count === 0) forget(luid as number, known.object)
    },
    release(object) {
      const luid = luids.get(object)
      if (luid !== undefined) forget(luid, object)
    },
    clear() {
      byLuid.clear()
      luids.clear()
    },
  }
}

const isRoot = (luid: Sexp | undefined) => luid instanceof Uint8Array && luid.length === 4 && latin1(luid, 4) === 'root'
