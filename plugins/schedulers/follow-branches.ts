import type { Host } from 'boltbot/plugin-sdk'
import { buildsetOf, type CheckedCommon, type ImportanceOptions, judge } from './options.ts'
import { createTreeStableRules } from './tree-stable-rules.ts'

/** Builds the branches it follows, each when it has been quiet for so many ms. */
export function followBranches(
  host: Pick<Host, 'registerScheduler'>,
  options: CheckedCommon & ImportanceOptions & { readonly treeStableTimer: number },
  follows: (branch: string | null) => boolean,
): void {
  const { name, builders, treeStableTimer: stableMs } = options
  const { initial, decide } = createTreeStableRules({ stableMs, buildset: buildsetOf(options) })
  host.registerScheduler({
    name,
    builders,
    initial,
    decide,
    wants: async (change) => follows(change.branch) && judge(options, change),
  })
}
