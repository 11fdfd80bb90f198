import { ACTS } from './acts.ts'
import { createChecks } from './checks.ts'
import { firstPlan, fullPlan } from './plan.ts'
import type { Breach } from './verdict.ts'
import { createWorld, type World } from './world.ts'

export interface SimulateOptions {
  readonly acts?: number
  /** Each line of the trace, as it comes. */
  readonly told?: (line: string) => void
}

export interface Outcome {
  readonly seed: number
  /** The first promise that was broken. */
  readonly breach: Breach | undefined
  readonly trace: readonly string[]
  readonly builds: number
  readonly processes: number
}

/** One run: a program of random acts, then peace, in which everything must come to its end. The same seed gives the same run. */
export async function simulate(seed: number, { acts = 150, told }: SimulateOptions = {}): Promise<Outcome> {
  await using world = await createWorld(seed, firstPlan, told)
  const checks = createChecks(world)
  let processes = 1
  const going = () => world.verdict.breach === undefined

  world.start()
  for (const slave of world.slaves.values()) if (world.chance.often(0.7)) slave.connect()
  await world.settle()
  for (let act = 0; act < acts && going(); act++) {
    const chosen = world.chance.weighted(ACTS.map((one) => [one.weight, one] as const))
    world.trace.note(`${act}. ${chosen.name}`)
    const before = world.process
    await chosen.run(world)
    if (world.process !== before && world.process !== undefined) processes++
    // Sometimes several things come at once.
    if (world.chance.often(0.25)) continue
    await world.settle()
    await checks.afterAct(act)
  }
  if (going()) await heal(world)
  if (going()) await checks.atEnd()
  const { verdict, trace, history } = world
  return { seed, breach: verdict.breach, trace: trace.lines, builds: history.builds.size, processes }
}

/** Everything is there again and nothing goes wrong any more. */
async function heal(world: World): Promise<void> {
  world.trace.note('peace')
  world.calm()
  world.script.calm()
  world.faults.clear()
  world.killZombies()
  for (const twin of world.twins) twin.switchOff(true)
  world.twins.clear()
  for (const slave of world.slaves.values()) slave.mute(false)
  await world.advance(60_000)
  const { process } = world
  if (process === undefined || process.life.state === 'dead') world.start()
  await world.advance(60_000)
  if (world.process?.master === undefined)
    return world.verdict.broken('everything drains', `the master does not run: it is ${world.process?.state}`)
  world.reconfigure(fullPlan(world.plan, world.chance))
  await world.advance(1000)
  for (const slave of world.slaves.keys()) world.pauses.resume(slave)
  for (const slave of world.slaves.values()) slave.switchOff(false)
  for (let minute = 0; minute < 120; minute++) {
    await world.advance(60_000)
    if (world.verdict.breach !== undefined || (minute > 8 && isIdle(world))) return
  }
  const open = [...world.history.requests.values()].filter((request) => request.state !== 'finished')
  world.verdict.broken('everything drains', `after two hours: ${JSON.stringify(open)}`)
}

function isIdle({ history, process }: World): boolean {
  const waiting = [...history.requests.values()].some((request) => request.state !== 'finished')
  const due = process?.master?.schedulers().some((scheduler) => scheduler.wakeAt !== null)
  return !waiting && due === false
}
