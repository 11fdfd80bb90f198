import { checkEnd } from './end.ts'
import { createFairness } from './fairness.ts'
import { checkHolds } from './holds.ts'
import { createQueueOrder } from './queue-order.ts'
import { readStanding, readWaiting } from './standing.ts'
import { checkWhyNots } from './why-truth.ts'
import type { World } from './world.ts'

/** What is looked at besides the journal. */
export interface Checks {
  /** The world has settled after an act. */
  afterAct(act: number): Promise<void>
  atEnd(): Promise<void>
}

export function createChecks(world: World): Checks {
  const { broken } = world.verdict
  const epochs = new Map<number, number>()
  const fairness = createFairness(world)
  const order = createQueueOrder(world)
  world.onEvent((event) => {
    if (event.name !== 'buildStarted') return
    const { slave } = event.event
    const running = world.history.running().filter((build) => build.slave === slave).length
    // A start takes its place under one config and is stored, a ping later, under the next.
    const limits = world.plansSince(world.clock.now() - 15_000).map((plan) => plan.slaves.get(slave)?.maxBuilds ?? 1e9)
    if (running > Math.max(...limits))
      broken('one build per builder and slave, and no more than maxBuilds', `${running} builds run on ${slave}`)
  })

  async function checkEpochs(): Promise<void> {
    const rows = await world.store.db.selectFrom('requests').select(['id', 'epoch']).execute()
    for (const { id, epoch } of rows) {
      const before = epochs.get(id) ?? 0
      if (epoch < before) broken('epochs grow', `request ${id} went from epoch ${before} to ${epoch}`)
      epochs.set(id, epoch)
    }
  }

  return {
    async afterAct() {
      await checkHolds(world)
      await checkEpochs()
      const waiting = await readWaiting(world)
      const standing = await world.faults.sparing(() => readStanding(world, waiting))
      checkWhyNots(world, standing)
      fairness.look(standing)
      order.look(waiting)
    },
    async atEnd() {
      await checkHolds(world)
      await checkEpochs()
      checkWhyNots(world, await readStanding(world, await readWaiting(world)))
      await checkEnd(world)
    },
  }
}
