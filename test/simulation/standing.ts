import type { SlaveView, WhyNot } from 'boltbot/plugin-sdk'
import type { World } from './world.ts'

/** A request that waits, as stored. */
export interface Waiting {
  readonly id: number
  readonly builder: string
  readonly priority: number
  readonly notBefore: number
}

/** In queue order, but for who was interrupted. */
export async function readWaiting({ store }: Pick<World, 'store'>): Promise<readonly Waiting[]> {
  const rows = await store.db
    .selectFrom('requests')
    .select(['id', 'builder', 'priority', 'not_before'])
    .where('state', '=', 'waiting')
    .orderBy('priority', 'desc')
    .orderBy('front', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(({ not_before, ...row }) => ({ ...row, notBefore: not_before }))
}

/** A settled moment of a running master, as its queries tell it. */
export interface Standing {
  readonly waiting: readonly Waiting[]
  readonly slaves: readonly SlaveView[]
  /** Of each builder with something that may start now; `undefined`: none is given. */
  readonly whys: ReadonlyMap<string, WhyNot | undefined>
}

/** `undefined` while a start, a reconfigure or a change of masters is under way: then nothing is settled. */
export async function readStanding(world: World, waiting: readonly Waiting[]): Promise<Standing | undefined> {
  const { process, history, clock } = world
  const master = process?.master
  if (master === undefined || world.reconfiguring) return undefined
  const slaves = await master.query.slaves()
  const running = history.running()
  // A slave that is being pinged holds a place for a build that does not run yet.
  if (slaves.some((slave) => slave.builds !== running.filter((build) => build.slave === slave.name).length))
    return undefined
  if (slaves.some((slave) => slave.state === 'attaching')) return undefined
  const whys = new Map<string, WhyNot | undefined>()
  for (const [builder, requests] of Map.groupBy(waiting, (request) => request.builder)) {
    const first = requests.find((request) => request.notBefore <= clock.now())
    if (first !== undefined) whys.set(builder, await master.query.why(first.id))
  }
  return { waiting, slaves, whys }
}
