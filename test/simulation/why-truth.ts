import type { WhyNot } from 'boltbot/plugin-sdk'
import type { Standing } from './standing.ts'
import type { World } from './world.ts'

/**
 * Each builder with a request that could start says why it does not, and what it says is so. A wake-up that was lost shows here: the
 * reason stays and is no longer true.
 */
export function checkWhyNots(world: World, standing: Standing | undefined): void {
  if (standing === undefined) return
  for (const [builder, why] of standing.whys) {
    const lie = lieOf(world, standing, builder, why)
    if (lie !== undefined)
      world.verdict.broken('what waits has a true reason', `${builder} says "${why?.code}: ${why?.text}", but ${lie}`)
  }
}

/** What is wrong with a reason; `undefined`: nothing. */
function lieOf(world: World, { slaves, whys }: Standing, builder: string, why: WhyNot | undefined): string | undefined {
  const runs = (label: string) =>
    world.history
      .running()
      // A reason that was given while it was starting.
      .some(
        ({ builder, number }) =>
          label === builder || label === `${builder} (starting)` || label.startsWith(`${builder} #${number}`),
      )
  switch (why?.code) {
    case 'no-builder':
      return world.plan.builders.has(builder) ? 'it is in the config' : undefined
    case 'slave-offline':
    case 'slave-busy':
    case 'slave-attaching':
    case 'slave-paused': {
      for (const reason of why.text.split('; ')) {
        const [, name, is] = /^slave (\S+) (.*)$/.exec(reason) ?? []
        const slave = slaves.find((other) => other.name === name)
        const offline = slave?.state === 'detached'
        if (is?.startsWith('is not connected') && !offline) return `${name} is ${slave?.state}`
        if (is?.startsWith('is paused by') && slave?.paused === null) return `${name} is not paused`
        const [, busyWith] = /^busy with (.*)$/.exec(is ?? '') ?? []
        if (busyWith !== undefined && !busyWith.split(', ').some(runs)) return `that does not run`
      }
      return undefined
    }
    case 'lock': {
      const [, holders] = / held by (.*)$/.exec(why.text) ?? []
      if (holders !== undefined) return holders.split(', ').some(runs) ? undefined : 'that does not run'
      const [, before] = / wanted before by (.*)$/.exec(why.text) ?? []
      if (before === undefined) return 'nobody understands it'
      if (runs(before)) return undefined
      const other = before.replace(' (starting)', '')
      return whys.get(other)?.code === 'lock' ? undefined : `that one says "${whys.get(other)?.text}"`
    }
    case 'start-failed': {
      const [, at] = / Next try at (\S+)$/.exec(why.text) ?? []
      return Date.parse(at ?? '') > world.clock.now() ? undefined : 'that is over'
    }
    default:
      return 'something could start'
  }
}
