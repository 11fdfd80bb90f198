import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Branches, definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { registerHistoryPoller } from '../history-poller.ts'
import { type PollerLogin, passwordLine, pollerLogin, webLogin } from '../login.ts'
import {
  address,
  branchesField,
  type CheckedPoller,
  type PollerOptions,
  pollerFields,
  program,
} from '../poller-options.ts'
import { withoutSecrets } from '../url-secrets.ts'
import { createHg } from './hg-process.ts'
import { createHgHistory } from './history.ts'
import { loginArguments } from './login.ts'

/** `username` and `password` are for a web address. */
export interface HgPollerOptions extends PollerOptions, PollerLogin {
  /** URL or path, as hg takes it. */
  readonly repourl: string
  /** Names, names with `*` for anything, or `true` for all; default `['default']`. */
  readonly branches?: Branches | undefined
  /** The hg program; default `hg`. */
  readonly hgbin?: string | undefined
}

interface CheckedHg extends CheckedPoller, PollerLogin {
  readonly repourl: string
  readonly branches: Branches
  readonly hgbin: string
}

const schema: Schema<HgPollerOptions, CheckedHg> = z
  .strictObject({
    ...pollerFields,
    ...pollerLogin,
    repourl: address,
    branches: branchesField.default(['default']),
    hgbin: program('hg'),
  })
  .refine(...webLogin('repourl'))

/**
 * Asks a Mercurial repository for new changesets and hands in each as a change. The first poll only notes where it stands.
 * @example hgPoller({ repourl: 'https://hg.example.org/hello', branches: ['default', 'stable'] })
 */
export const hgPoller = definePlugin({
  name: 'vc/hg',
  kind: 'source',
  needs: ['changes', 'pollers', 'state', 'directory', 'secrets'],
  schema,
  id: ({ repourl }) => `hg ${withoutSecrets(repourl)}`,
  apply(host, options) {
    const { repourl, branches, username, password } = options
    const repository = withoutSecrets(repourl)
    const hide = new Map([[repourl, repository]])
    const run = createHg(options.hgbin, hide)
    const login = loginArguments(repourl, username)
    const folder = `${createHash('sha256').update(repourl).digest('hex').slice(0, 16)}.hg`
    registerHistoryPoller(
      host,
      options,
      createHgHistory({
        hg: ([command = '', ...args], how) =>
          run([command, ...login, '--config', 'ui.timeout=60', ...args], {
            ...how,
            ...(password !== undefined && { stdin: passwordLine(host.secrets.resolve(password)) }),
          }),
        repourl,
        repository,
        branches,
        mirror: async () => join(await host.directory(), folder),
      }),
    )
  },
})
