import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { registerHistoryPoller } from '../history-poller.ts'
import { address, type CheckedPoller, type PollerOptions, pollerFields, program, text } from '../poller-options.ts'
import { withoutSecrets } from '../url-secrets.ts'
import { createDarcs } from './darcs-process.ts'
import { createDarcsHistory } from './history.ts'

export interface DarcsPollerOptions extends PollerOptions {
  /** URL or path, as darcs takes it. */
  readonly repourl: string
  /** What changes say of the branch; default `null`, the default branch. */
  readonly branch?: string | null | undefined
  /** The darcs program; default `darcs`. */
  readonly darcsbin?: string | undefined
}

interface CheckedDarcs extends CheckedPoller {
  readonly repourl: string
  readonly branch: string | null
  readonly darcsbin: string
}

const schema: Schema<DarcsPollerOptions, CheckedDarcs> = z.strictObject({
  ...pollerFields,
  repourl: address,
  branch: text.nullable().default(null),
  darcsbin: program('darcs'),
})

/**
 * Asks a darcs repository for new patches and hands in each as a change. The first poll only notes where it stands.
 * @example darcsPoller({ repourl: 'https://darcs.example.org/hello' })
 */
export const darcsPoller = definePlugin({
  name: 'vc/darcs',
  kind: 'source',
  needs: ['changes', 'pollers', 'state'],
  schema,
  id: ({ repourl }) => `darcs ${withoutSecrets(repourl)}`,
  apply(host, options) {
    const { repourl, branch } = options
    const repository = withoutSecrets(repourl)
    const hide = new Map([[repourl, repository]])
    const darcs = createDarcs(options.darcsbin, hide)
    registerHistoryPoller(host, options, createDarcsHistory({ darcs, repourl, repository, branch }))
  },
})
