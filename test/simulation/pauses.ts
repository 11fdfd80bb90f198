import type { StoredEvent } from '../../core/store/store.ts'
import type { World } from './world.ts'

/** Which slaves people have paused, as far as they were told so. */
export interface Pauses {
  pause(slave: string): void
  resume(slave: string): void
}

/** A start that reserved its place before the pause is claimed once its slave has answered. */
const PING_MS = 15_000

export function createPauses(world: Pick<World, 'process' | 'clock' | 'verdict' | 'onEvent'>): Pauses {
  /** Since when each is known to be paused. Nothing is known of one whose pause or end of pause was not answered yet. */
  const since = new Map<string, number>()
  /** Of each, how often it was asked to go on: a pause that is answered after that says nothing any more. */
  const resumed = new Map<string, number>()
  const order = (slave: string) => ({ slave, who: 'jane', reason: 'simulated' })

  world.onEvent(({ name, event }: StoredEvent) => {
    if (name !== 'buildStarted') return
    const paused = since.get(event.slave)
    if (paused !== undefined && world.clock.now() - paused > PING_MS)
      world.verdict.broken(
        'a paused slave is given nothing',
        `${event.builder} #${event.number} began on ${event.slave}`,
      )
  })

  return {
    pause(slave) {
      const { process } = world
      const before = resumed.get(slave)
      process?.master?.pauseSlave(order(slave), 'simulation').then(
        () => {
          // The word of a process that was replaced meanwhile says nothing of its successor, which has read the store before.
          if (world.process !== process || resumed.get(slave) !== before) return
          if (!since.has(slave)) since.set(slave, world.clock.now())
        },
        () => {}, // refused: an answer too
      )
    },
    resume(slave) {
      since.delete(slave)
      resumed.set(slave, (resumed.get(slave) ?? 0) + 1)
      world.process?.master?.resumeSlave(order(slave), 'simulation').catch(() => {}) // refused: an answer too
    },
  }
}
