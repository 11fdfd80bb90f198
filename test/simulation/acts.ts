import { REFUSABLE } from './faults.ts'
import { BRANCHES, changedPlan, SLAVES } from './plan.ts'
import type { World } from './world.ts'

/** One thing that happens to the world. It begins and is not waited for. */
export interface Act {
  readonly name: string
  readonly weight: number
  run(world: World): void | Promise<void>
}

/** A refusal is an answer too; whatever goes wrong inside shows elsewhere. */
const ignored = (work: Promise<unknown> | undefined) => void work?.catch(() => {})
const who = 'jane'
const via = 'simulation'

export const ACTS: readonly Act[] = [
  {
    name: 'change',
    weight: 14,
    run({ chance, process, clock }) {
      const revision = `r${clock.now()}.${chance.between(0, 1e6)}`
      const files = [chance.often(0.25) ? 'docs/a.txt' : 'a.c']
      const change = { who: chance.pick(['jane', 'joe']), files, comments: '', branch: chance.pick(BRANCHES), revision }
      ignored(process?.master?.submitChange(change, 'simulation'))
    },
  },
  {
    name: 'force',
    weight: 12,
    run({ chance, process, plan }) {
      const builder = chance.pick([...plan.builders.keys()])
      ignored(process?.master?.force({ builder, who, reason: 'simulated', priority: chance.pick([0, 0, 0, 1]) }, via))
    },
  },
  {
    name: 'cancel',
    weight: 8,
    run({ chance, process, history }) {
      const open = [...history.requests.values()].filter((request) => request.state !== 'finished')
      // The oldest of those that go first: then the order of the others matters.
      const first = open.find((request) => request.interrupted && request.state === 'waiting')
      if (open.length === 0) return
      const chosen = first !== undefined && chance.often(0.6) ? first : chance.pick(open)
      ignored(process?.master?.cancel({ request: chosen.id, who, reason: 'simulated' }, via))
    },
  },
  {
    name: 'stop a build',
    weight: 3,
    run({ chance, process, history }) {
      const running = history.running()
      if (running.length === 0) return
      ignored(process?.master?.stopBuild({ build: chance.pick(running).id, who, reason: 'simulated' }, via))
    },
  },
  {
    name: 'now',
    weight: 2,
    run({ chance, process, plan }) {
      ignored(process?.master?.runNow(chance.pick([...plan.schedulers]), { who, via }))
    },
  },
  { name: 'a moment', weight: 16, run: (world) => world.advance(world.chance.between(0, 3000)) },
  { name: 'a while', weight: 8, run: (world) => world.advance(world.chance.between(3000, 40_000)) },
  { name: 'a long while', weight: 2, run: (world) => world.advance(world.chance.between(60_000, 400_000)) },
  { name: 'release', weight: 3, run: ({ script }) => script.release() },
  { name: 'cut a link', weight: 4, run: (world) => anySlave(world).drop() },
  { name: 'crash a slave', weight: 6, run: (world) => anySlave(world).crash() },
  { name: 'mute a slave', weight: 2, run: (world) => anySlave(world).mute(true) },
  {
    name: 'unmute slaves',
    weight: 4,
    run({ slaves }) {
      for (const slave of slaves.values()) slave.mute(false)
    },
  },
  { name: 'switch a slave off', weight: 2, run: (world) => anySlave(world).switchOff(true) },
  { name: 'switch a slave on', weight: 5, run: (world) => anySlave(world).switchOff(false) },
  { name: 'a twin comes', weight: 2, run: (world) => world.twinOf(world.chance.pick(SLAVES)).connect() },
  {
    name: 'the twins go',
    weight: 4,
    run({ twins }) {
      for (const twin of twins) twin.switchOff(true)
      twins.clear()
    },
  },
  { name: 'pause a slave', weight: 2, run: ({ pauses, chance }) => pauses.pause(chance.pick(SLAVES)) },
  { name: 'resume a slave', weight: 4, run: ({ pauses, chance }) => pauses.resume(chance.pick(SLAVES)) },
  {
    name: 'refuse',
    weight: 5,
    run: ({ chance, faults }) => faults.refuse(chance.pick(REFUSABLE)),
  },
  {
    name: 'reconfigure',
    weight: 6,
    run: (world) => world.reconfigure(changedPlan(world.plan, world.chance)),
  },
  {
    name: 'reconfigure with a plugin that does not start',
    weight: 1,
    run: (world) => world.reconfigure(changedPlan(world.plan, world.chance), true),
  },
  { name: 'refuse a read', weight: 2, run: ({ chance, faults }) => faults.refuseRead(chance.between(0, 8)) },
  { name: 'kill', weight: 1, run: (world) => world.kill() },
  {
    name: 'kill soon',
    weight: 4,
    run: ({ chance, faults }) => faults.dieAt(chance.between(0, 12), chance.pick(['die before', 'die after'])),
  },
  { name: 'freeze', weight: 1, run: (world) => world.freeze() },
  { name: 'thaw', weight: 3, run: (world) => world.thaw() },
  { name: 'kill zombies', weight: 2, run: (world) => world.killZombies() },
  { name: 'stop the master', weight: 1, run: ({ process }) => process?.stop() },
  {
    name: 'start a master',
    weight: 14,
    async run(world) {
      const { process, chance } = world
      if (process !== undefined && process.life.state !== 'dead') return
      world.start()
      // Somebody changes his mind while it starts.
      if (!chance.often(0.15)) return
      for (let turns = chance.between(1, 8); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      world.process?.stop()
    },
  },
]

const anySlave = ({ chance, slaves }: World) => slaves.get(chance.pick(SLAVES))!
