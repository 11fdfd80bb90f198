import { type Branches, branchTest, definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { registerHistoryPoller } from '../history-poller.ts'
import {
  address,
  branchesField,
  type CheckedPoller,
  type PollerOptions,
  pollerFields,
  program,
} from '../poller-options.ts'
import { newInWindow, windowStart } from '../time-window.ts'
import { cvsDate, groupCommits } from './commits.ts'
import { createCvs } from './cvs-process.ts'
import { rootPath, withoutPassword } from './cvsroot.ts'
import { parseRlog } from './rlog.ts'

export interface CvsPollerOptions extends PollerOptions {
  /** As in `cvs -d`. The password of a pserver is in `~/.cvspass` of the user the master runs as: see `cvs login`. */
  readonly cvsroot: string
  readonly cvsmodule: string
  /** Names, names with `*` for anything, or `true` for all; the trunk is `HEAD`. Default `['HEAD']`. */
  readonly branches?: Branches | undefined
  /** The cvs program; default `cvs`. */
  readonly cvsbin?: string | undefined
}

interface CheckedCvs extends CheckedPoller {
  readonly cvsroot: string
  readonly cvsmodule: string
  readonly branches: Branches
  readonly cvsbin: string
}

const schema: Schema<CvsPollerOptions, CheckedCvs> = z.strictObject({
  ...pollerFields,
  cvsroot: address,
  cvsmodule: address.transform((name) => name.replace(/^\/+|\/+$/g, '')),
  branches: branchesField.default(['HEAD']),
  cvsbin: program('cvs'),
})

/**
 * Asks a CVS repository for new commits, by `cvs rlog`, and hands in each as a change; its revision is its time. The first poll only
 * notes what there is.
 * @example cvsPoller({ cvsroot: ':pserver:anonymous@cvs.example.org:/cvsroot', cvsmodule: 'hello' })
 */
export const cvsPoller = definePlugin({
  name: 'vc/cvs',
  kind: 'source',
  needs: ['changes', 'pollers', 'state'],
  schema,
  id: ({ cvsroot, cvsmodule }) => `cvs ${withoutPassword(cvsroot)} ${cvsmodule}`,
  apply(host, options) {
    const { cvsroot, cvsmodule } = options
    const repository = withoutPassword(cvsroot)
    const hide = new Map([[cvsroot, repository]])
    const cvs = createCvs(options.cvsbin, hide)
    const isWanted = branchTest(options.branches)
    registerHistoryPoller(host, options, {
      repository: `${repository} ${cvsmodule}`,
      watches: isWanted,
      async since(position, signal) {
        const now = host.clock.now()
        const from = `${cvsDate(windowStart(position, now))}<`
        const args = ['-f', '-R', '-z3', '-Q', '-d', cvsroot, 'rlog', '-S', '-d', from, '--', cvsmodule]
        const revisions = parseRlog((await cvs(args, { signal })).toString(), rootPath(cvsroot))
        const wanted = revisions.filter(({ branch }) => isWanted(branch ?? 'HEAD'))
        return newInWindow(position, keyed(groupCommits(wanted, `${cvsmodule}/`)), now)
      },
    })

    /** Two commits of one second have one revision: their ids tell them apart. */
    function keyed(commits: ReturnType<typeof groupCommits>): ReturnType<typeof groupCommits> {
      const scope = `cvs ${repository} ${cvsmodule}`
      return commits.map((one) => ({ ...one, commit: { ...one.commit, key: `${scope} ${one.id}` } }))
    }
  },
})
