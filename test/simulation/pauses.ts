import type { StoredEvent } from '../../core/store/store.ts'
import type { World } from './world.ts'

/** Which slaves people have paused, as far as they were told so. */
export interface Pauses {
  pause(slave: string): void
  resume(slave: string): void
}

export function createPauses(world: Pick<World, 'process' | 'verdict' | 'onEvent'>): Pauses {
  /** Those known to be paused. Nothing is known of one whose pause or end of pause was not answered yet. */
  const known = new Set<string>()
  /** Of each, how often it was asked to go on: a pause that is answered after that says nothing any more. */
  const resumed = new Map<string, number>()
  /** Asked of a process, and not answered: a frozen one may do it once it is thawed, whatever was asked of its successor meanwhile. */
  const unanswered = new Set<{ readonly slave: string; readonly process: World['process'] }>()
  const mayGoOn = (slave: string) =>
    [...unanswered].some((asked) => asked.slave === slave && asked.process?.life.state !== 'dead')
  const order = (slave: string) => ({ slave, who: 'jane', reason: 'simulated' })

  world.onEvent(({ name, event }: StoredEvent) => {
    if (name !== 'buildStarted') return
    if (known.has(event.slave))
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
          if (world.process !== process || resumed.get(slave) !== before || mayGoOn(slave)) return
          known.add(slave)
        },
        () => {}, // refused: an answer too
      )
    },
    resume(slave) {
      known.delete(slave)
      resumed.set(slave, (resumed.get(slave) ?? 0) + 1)
      const { process } = world
      const asked = { slave, process }
      unanswered.add(asked)
      const answer = process?.master?.resumeSlave(order(slave), 'simulation').catch(() => {}) // refused: an answer too
      void Promise.resolve(answer).then(() => unanswered.delete(asked))
    },
  }
}
