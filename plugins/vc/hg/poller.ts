import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Branches, definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { withoutSecrets } from '../environment.ts'
import { registerHistoryPoller } from '../history-poller.ts'
import {
  address,
  branchesField,
  type CheckedPoller,
  type PollerOptions,
  pollerFields,
  program,
} from '../poller-options.ts'
import { createHg } from './hg-process.ts'
import { createHgHistory } from './history.ts'

export interface HgPollerOptions extends PollerOptions {
  /** URL or path, as hg takes it. */
  readonly repourl: string
  /** Names, names with `*` for anything, or `true` for all; default `['default']`. */
  readonly branches?: Branches | undefined
  /** The hg program; default `hg`. */
  readonly hgbin?: string | undefined
}

interface CheckedHg extends CheckedPoller {
  readonly repourl: string
  readonly branches: Branches
  readonly hgbin: string
}

const schema: Schema<HgPollerOptions, CheckedHg> = z.strictObject({
  ...pollerFields,
  repourl: address,
  branches: branchesField.default(['default']),
  hgbin: program('hg'),
})

/**
 * Asks a Mercurial repository for new changesets and hands in each as a change. The first poll only notes where it stands.
 * @example hgPoller({ repourl: 'https://hg.example.org/hello', branches: ['default', 'stable'] })
 */
export const hgPoller = definePlugin({
  name: 'vc/hg',
  kind: 'source',
  needs: ['changes', 'pollers', 'state', 'directory'],
  schema,
  id: ({ repourl }) => `hg ${withoutSecrets(repourl)}`,
  apply(host, options) {
    const { repourl, branches } = options
    const repository = withoutSecrets(repourl)
    const hide = new Map([[repourl, repository]])
    const run = createHg(options.hgbin, hide)
    const folder = `${createHash('sha256').update(repourl).digest('hex').slice(0, 16)}.hg`
    registerHistoryPoller(
      host,
      options,
      createHgHistory({
        hg: ([command = '', ...args], how) =>
          run([command, '--config', 'ui.interactive=false', '--config', 'ui.timeout=60', ...args], how),
        repourl,
        repository,
        branches,
        mirror: async () => join(await host.directory(), folder),
      }),
    )
  },
})
