import { CiError, hasCode, messageOf } from 'boltbot/plugin-sdk'
import type { Accepted } from '../config/check.ts'
import type { Positions } from '../config/positions.ts'
import { type Problem, sortProblems } from '../config/problem.ts'
import { createReporter } from '../config/report.ts'
import { foreignStack } from '../thrown-at.ts'
import { createNowhere, type NowhereDeps } from './nowhere.ts'

export interface ApplyDeps extends Omit<NowhereDeps, 'config'> {
  readonly positions: Positions
}

/**
 * The mistakes that the plugins of a good config make in `apply`, each of them applied to a host that leads nowhere: what would refuse the
 * start. Told at the place of the slip where that is beside the config, else where the config names the plugin. Never throws.
 */
export function applyPlugins({ config, subjects }: Accepted, { positions, ...deps }: ApplyDeps): readonly Problem[] {
  const nowhere = createNowhere({ ...deps, config })
  const { report, problems } = createReporter(positions)
  for (const spec of config.plugins) {
    const { scope, guessed } = nowhere.scopeOf(spec)
    try {
      scope.apply()
    } catch (error) {
      // It may have thrown because of what it was told here, and not throw at the start.
      if (guessed() && mayHangOnAnswers(error)) continue
      const subject = subjects.get(spec.id)! // checked configs have one for each plugin
      const place = positions.inStack(foreignStack(causeOf(error)))
      if (place === undefined) report(subject, [], sentencesOf(error, true))
      else problems.push({ ...place, path: subject.label, message: sentencesOf(error, false) })
    }
  }
  return sortProblems(problems)
}

/** A throw of the plugin's own, or a route, which is made of addresses; hooks, needs and rules are what they are. */
const mayHangOnAnswers = (error: unknown) =>
  hasCode(error, 'BOLT_HOST_APPLY') || (error instanceof CiError && error.code.startsWith('BOLT_HTTP_'))

/** What the plugin threw, or what was thrown at it. */
const causeOf = (error: unknown) => (hasCode(error, 'BOLT_HOST_APPLY') ? error.cause : error)

/** Message and hint; `withFrame`: also where in installed code it was thrown, which the hint of an error without one of its own says. */
function sentencesOf(error: unknown, withFrame: boolean): string {
  const cause = causeOf(error)
  const shown = cause instanceof CiError || !withFrame ? cause : error
  const hint = shown instanceof CiError ? shown.hint : undefined
  return hint === undefined ? messageOf(error) : `${messageOf(error)} ${hint}`
}
