import type { Step } from 'boltbot/plugin-sdk'
import { createLockBook } from './check-locks.ts'
import { checkStep } from './check-steps.ts'
import { formatPath, type Reporter, type Subject } from './report.ts'
import { show } from './rules.ts'

/** Steps that were made while a build runs: the same checks as in the config, told in sentences. */
export function checkChosenSteps(
  label: string,
  steps: unknown,
): { readonly steps: readonly Step[]; readonly problems: readonly string[] } {
  if (!Array.isArray(steps)) return { steps: [], problems: [`It gave ${show(steps)}. Give a list of steps.`] }
  const problems: string[] = []
  const reporter: Reporter = {
    report: ({ label }, path, message) => problems.push(`${[label, formatPath(path)].join(' ').trim()}: ${message}`),
    problems: [],
    placeOf: () => 'this build',
  }
  const subject: Subject = { label, stack: undefined, base: [] }
  const book = createLockBook(reporter)
  const checked = steps.flatMap((step: unknown, i) => checkStep(reporter, subject, subject, i, step, book)?.step ?? [])
  return { steps: checked, problems }
}
