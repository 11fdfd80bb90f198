import type { LockAccess } from 'boltbot/plugin-sdk'
import type { CheckedBuilder } from './check-builders.ts'
import type { CheckedSlave } from './check-slaves.ts'
import type { Report } from './report.ts'

/** One wish: a build of `builder` that holds `held` waits for `wanted` in a step. */
interface Wish {
  readonly builder: CheckedBuilder
  readonly step: number
  readonly held: string
  readonly wanted: string
}

/**
 * Finds builds that could wait for each other for ever: a build holds its own and its slave's locks for its whole time, and
 * its steps ask for more. A set that is asked for at once is granted at once, so only these two levels can cross.
 */
export function checkLockOrder(
  report: Report,
  builders: Iterable<CheckedBuilder>,
  slaves: ReadonlyMap<string, CheckedSlave>,
): void {
  const wishes = [...builders].flatMap((builder) => wishesOf(report, builder, slaves))
  const told = new Set<string>()
  for (const first of wishes) {
    const back = findWay(wishes, first.wanted, first.held)
    if (!back) continue
    const circle = [first, ...back]
    const key = [...new Set(circle.map((wish) => wish.held))].sort().join()
    if (told.has(key)) continue
    told.add(key)
    const story = circle.map(
      ({ builder, held, wanted }) =>
        `builds of "${builder.spec.name}" hold "${held}" while a step asks for "${wanted}"`,
    )
    const { subject } = first.builder.steps[first.step]!
    report(
      subject,
      ['locks'],
      `These locks are taken crosswise and can block each other for ever: ${story.join('; ')}. Ask for both locks in the builder, or for both in the step.`,
    )
  }
}

function wishesOf(report: Report, builder: CheckedBuilder, slaves: ReadonlyMap<string, CheckedSlave>): readonly Wish[] {
  const wishes = new Map<string, Wish>()
  const selfBlocked = new Set<number>()
  for (const slave of builder.spec.slaves) {
    const held = [...builder.spec.locks, ...(slaves.get(slave)?.spec.locks ?? [])].map((item) => nameOf(item, slave))
    builder.steps.forEach((step, i) => {
      for (const wanted of step.locks.map((item) => nameOf(item, slave))) {
        if (held.includes(wanted) && !selfBlocked.has(i)) {
          selfBlocked.add(i)
          report(
            step.subject,
            ['locks'],
            `The step asks for the lock "${wanted}", which its own build holds already: it would wait for ever. Leave it out of the step, or of the builder and the slave.`,
          )
        }
        for (const name of held)
          if (name !== wanted) wishes.set(`${i} ${name} ${wanted}`, { builder, step: i, held: name, wanted })
      }
    })
  }
  return [...wishes.values()]
}

/** The shortest chain of wishes from holding `from` to waiting for `to`. */
function findWay(wishes: readonly Wish[], from: string, to: string): readonly Wish[] | undefined {
  const ways: (readonly Wish[])[] = [[]]
  const seen = new Set<string>()
  for (const way of ways) {
    const at = way.at(-1)?.wanted ?? from
    if (at === to) return way
    if (seen.has(at)) continue
    seen.add(at)
    for (const wish of wishes) if (wish.held === at) ways.push([...way, wish])
  }
  return undefined
}

const nameOf = ({ lock }: LockAccess, slave: string) =>
  lock.kind === 'slaveLock' ? `${lock.name}@${slave}` : lock.name
