import type { Change, Wanted } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type ImportanceOptions, importanceShape, judge } from './options.ts'

/** What schedulers take that go by the clock. */
export interface TimedOptions extends ImportanceOptions {
  /** The branch they build; default `null`, the default branch. Must be given with `onlyIfChanged`. */
  readonly branch?: string | null | undefined
  /** True: builds only what changed (importantly) since the last time; then the changes are in the build, and blamed. Default false. */
  readonly onlyIfChanged?: boolean | undefined
}

export const timedShape = {
  ...importanceShape,
  branch: z.string("Give one branch, as in 'main'.").nullable().optional(),
  onlyIfChanged: z.boolean('Give true or false.').optional(),
}

interface Issues {
  addIssue(issue: { code: 'custom'; path: string[]; message: string }): void
}

/** What the options of one scheduler must say together. */
export function checkTimed(options: TimedOptions, issues: Issues): void {
  if (options.onlyIfChanged === true) {
    if (options.branch !== undefined) return
    const message = "Name the branch whose changes count, as in branch: 'main'; null for changes without a branch."
    issues.addIssue({ code: 'custom', path: ['branch'], message })
    return
  }
  for (const key of ['fileIsImportant', 'onlyImportant', 'changeFilter'] as const) {
    if (options[key] === undefined) continue
    issues.addIssue({
      code: 'custom',
      path: [key],
      message: 'It judges changes: add onlyIfChanged: true, or leave it out.',
    })
  }
}

/** Which changes they collect. */
export async function wantsTimed(options: TimedOptions, change: Change): Promise<Wanted> {
  return options.onlyIfChanged === true && change.branch === options.branch && judge(options, change)
}
