import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { withoutSecrets } from '../environment.ts'
import { registerHistoryPoller } from '../history-poller.ts'
import { address, type CheckedPoller, type PollerOptions, pollerFields, program, text } from '../poller-options.ts'
import { createBzr } from './bzr-process.ts'
import { createBzrHistory } from './history.ts'

export interface BzrPollerOptions extends PollerOptions {
  /** The branch: URL or path, as bzr takes it. */
  readonly repourl: string
  /** What changes say of the branch; default `null`, the default branch. */
  readonly branch?: string | null | undefined
  /** The program, brz or bzr; default `brz`. */
  readonly bzrbin?: string | undefined
}

interface CheckedBzr extends CheckedPoller {
  readonly repourl: string
  readonly branch: string | null
  readonly bzrbin: string
}

const schema: Schema<BzrPollerOptions, CheckedBzr> = z.strictObject({
  ...pollerFields,
  repourl: address,
  branch: text.nullable().default(null),
  bzrbin: program('brz'),
})

/**
 * Asks a Bazaar branch for new revisions of its main line and hands in each as a change. The first poll only notes where it stands.
 * @example bzrPoller({ repourl: 'https://bzr.example.org/hello/trunk' })
 */
export const bzrPoller = definePlugin({
  name: 'vc/bzr',
  kind: 'source',
  needs: ['changes', 'pollers', 'state'],
  schema,
  id: ({ repourl }) => `bzr ${withoutSecrets(repourl)}`,
  apply(host, options) {
    const { repourl, branch } = options
    const repository = withoutSecrets(repourl)
    const hide = new Map([[repourl, repository]])
    const bzr = createBzr(options.bzrbin, hide)
    registerHistoryPoller(host, options, createBzrHistory({ bzr, repourl, repository, branch }))
  },
})
