import { isJson, type SchedulerRules } from 'boltbot/plugin-sdk'
import { wrongScheduler } from './errors.ts'

/** Rules as a plugin registers them. @throws CiError `BOLT_HOST_SCHEDULER` that names what is not right. */
export function checkSchedulerRules(plugin: string, rules: SchedulerRules): void {
  const { name, builders, initial, decide, wants } = (rules ?? {}) as unknown as Readonly<Record<string, unknown>> // whatever a plugin gave
  const problem =
    typeof name !== 'string' || name.trim() === ''
      ? 'has no name'
      : !Array.isArray(builders) || builders.some((one) => typeof one !== 'string')
        ? 'has no list of builder names in builders'
        : typeof decide !== 'function'
          ? 'has no function decide'
          : initial === undefined
            ? 'has no initial state'
            : !isJson(initial)
              ? 'has an initial state that is not JSON'
              : wants !== undefined && typeof wants !== 'function'
                ? 'has a wants that is no function'
                : undefined
  if (problem !== undefined) throw wrongScheduler(plugin, typeof name === 'string' ? name : undefined, problem)
}
