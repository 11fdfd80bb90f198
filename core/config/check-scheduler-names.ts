import type { PluginInstance } from 'boltbot/plugin-sdk'
import type { CheckedBuilder } from './check-builders.ts'
import type { CheckedPlugin } from './check-plugins.ts'
import type { Reporter } from './report.ts'
import { isRecord, knownNames } from './rules.ts'

/** The name a scheduler registers under: its option `name`, else its id. */
export function schedulerName({ options, id }: PluginInstance): string {
  const { name } = options as { readonly name?: unknown } // options of any plugin may be asked
  return typeof name === 'string' ? name : id
}

/** Schedulers that follow each other in a circle: one build would go round for ever. */
export function checkUpstreams({ report }: Reporter, plugins: readonly CheckedPlugin[]): void {
  const schedulers = plugins.filter(({ spec }) => spec.kind === 'scheduler')
  const upstreams = new Map(
    schedulers.flatMap(({ instance }) => {
      const { upstream } = instance.options as { readonly upstream?: unknown } // as above
      const name = isRecord(upstream) && upstream.kind === 'plugin' ? schedulerName(upstream as never) : upstream // it is one
      return typeof name === 'string' ? [[schedulerName(instance), name] as const] : []
    }),
  )
  const told = new Set<string>()
  for (const { instance, subject } of schedulers) {
    const circle = [schedulerName(instance)]
    for (let next = upstreams.get(circle[0]!); next !== undefined; next = upstreams.get(next)) {
      const isClosed = next === circle[0]
      if (isClosed && !circle.some((name) => told.has(name))) {
        const way = [...circle, next].map((name) => `"${name}"`).join(' after ')
        report(subject, ['upstream'], `It waits for itself: ${way}. Have one of them follow another scheduler.`)
      }
      if (isClosed || circle.includes(next)) break
      circle.push(next)
    }
    for (const name of circle) told.add(name)
  }
}

/** Steps name schedulers in `schedulerNames`. */
export function checkStepSchedulers(
  { report }: Reporter,
  builders: Iterable<CheckedBuilder>,
  plugins: readonly CheckedPlugin[],
): void {
  const known = plugins.filter(({ spec }) => spec.kind === 'scheduler').map(({ instance }) => schedulerName(instance))
  for (const { spec, steps } of builders) {
    for (const [index, { subject }] of steps.entries()) {
      const { schedulerNames } = (spec.steps[index]?.options ?? {}) as { readonly schedulerNames?: unknown } // any step may be asked
      if (!Array.isArray(schedulerNames)) continue
      schedulerNames.forEach((item: unknown, i) => {
        const name = isRecord(item) && item.kind === 'plugin' ? schedulerName(item as never) : item // it is one
        if (typeof name !== 'string' || known.includes(name)) return
        const message = `It names scheduler "${name}", which is not in schedulers. ${knownNames(name, known)}`
        report(subject, ['schedulerNames', i], message)
      })
    }
  }
}
