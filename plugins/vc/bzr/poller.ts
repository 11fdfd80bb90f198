import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { registerHistoryPoller } from '../history-poller.ts'
import { type PollerLogin, passwordLine, pollerLogin, webLogin } from '../login.ts'
import { address, type CheckedPoller, type PollerOptions, pollerFields, program, text } from '../poller-options.ts'
import type { Program } from '../program.ts'
import { withoutSecrets } from '../url-secrets.ts'
import { asUser } from './as-user.ts'
import { createBzr } from './bzr-process.ts'
import { createBzrHistory } from './history.ts'

/** `username` and `password` are for a web address. */
export interface BzrPollerOptions extends PollerOptions, PollerLogin {
  /** The branch: URL or path, as bzr takes it. */
  readonly repourl: string
  /** What changes say of the branch; default `null`, the default branch. */
  readonly branch?: string | null | undefined
  /** The program, brz or bzr; default `brz`. */
  readonly bzrbin?: string | undefined
}

interface CheckedBzr extends CheckedPoller, PollerLogin {
  readonly repourl: string
  readonly branch: string | null
  readonly bzrbin: string
}

const schema: Schema<BzrPollerOptions, CheckedBzr> = z
  .strictObject({
    ...pollerFields,
    ...pollerLogin,
    repourl: address,
    branch: text.nullable().default(null),
    bzrbin: program('brz'),
  })
  .refine(...webLogin('repourl'))

/**
 * Asks a Bazaar branch for new revisions of its main line and hands in each as a change. The first poll only notes where it stands.
 * @example bzrPoller({ repourl: 'https://bzr.example.org/hello/trunk' })
 */
export const bzrPoller = definePlugin({
  name: 'vc/bzr',
  kind: 'source',
  needs: ['changes', 'pollers', 'state', 'secrets'],
  schema,
  id: ({ repourl }) => `bzr ${withoutSecrets(repourl)}`,
  apply(host, options) {
    const { branch, username, password } = options
    const repourl = asUser(username, options.repourl)
    const repository = withoutSecrets(repourl)
    const hide = new Map([[repourl, repository]])
    const run = createBzr(options.bzrbin, hide)
    const bzr: Program = (args, how) =>
      run(args, { ...how, ...(password !== undefined && { stdin: passwordLine(host.secrets.resolve(password)) }) })
    registerHistoryPoller(host, options, createBzrHistory({ bzr, repourl, repository, branch }))
  },
})
