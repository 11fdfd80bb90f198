import { scopesOn } from '../../core/locks/lock-scopes.ts'
import { accessesOf, type Plan } from './plan.ts'
import type { Standing } from './standing.ts'
import type { World } from './world.ts'

/** A builder that waits for a lock is not passed by one that came later and takes what it waits for. */
export function createFairness(world: World): { look(standing: Standing | undefined): void } {
  /** As of the last settled moment; `undefined` once something came between that may change who wants what. */
  let before: (Standing & { readonly plan: Plan }) | undefined
  const left = new Set<string>()
  let refused = 0

  world.onEvent(({ name, event }) => {
    if (name === 'slaveLost' || name === 'slaveConnected' || name === 'configApplied') before = undefined
    if (name === 'requestCancelled') left.add(event.builder)
    // A start that was refused has lost its place.
    if (name !== 'buildStarted' || before === undefined || world.faults.refused !== refused) return
    const { builder, slave, number } = event
    for (const [other, why] of before.whys) {
      if (why?.code !== 'lock' || other === builder || left.has(other)) continue
      if (before.whys.get(builder)?.code === 'lock') continue
      if (!hasRoom(other) || !inTheWay(before.plan, builder, other, slave)) continue
      const message = `${builder} #${number} began before ${other}, which says "${why.text}"`
      world.verdict.broken('locks are fair', message)
    }
    left.add(builder)
    // Whose slave is taken gives up its place for a lock, though it may have the slave back soon.
    const served = before.slaves.find((other) => other.name === slave)?.builders ?? []
    for (const other of served) left.add(other)
  })

  /** Some slave could take it, were it not for the lock. */
  function hasRoom(builder: string): boolean {
    const running = world.history.running()
    return (before?.slaves ?? []).some(({ name, state, paused, builders, maxBuilds }) => {
      if (state === 'detached' || paused !== null || !builders.includes(builder)) return false
      const here = running.filter((build) => build.slave === name)
      return here.length < (maxBuilds ?? 1e9) && !here.some((build) => build.builder === builder)
    })
  }

  return {
    look(standing) {
      before = standing && { ...standing, plan: world.plan }
      left.clear()
      refused = world.faults.refused
    },
  }
}

/** Of master locks only: which slave lock a builder waits for, only it knows. */
function inTheWay(plan: Plan, taker: string, waiter: string, slave: string): boolean {
  const wanted = scopesOn(slave, accessesOf(plan, waiter))
  return scopesOn(slave, accessesOf(plan, taker)).some(({ scope, mode }) => {
    const same = wanted.find((other) => other.scope.name === scope.name && !scope.name.includes('@'))
    return same !== undefined && (mode === 'exclusive' || same.mode === 'exclusive')
  })
}
