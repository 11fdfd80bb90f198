import { definePlugin, type Schema, type SecretRef } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { registerHistoryPoller } from '../history-poller.ts'
import { secretOrText } from '../login.ts'
import { address, type CheckedPoller, type PollerOptions, pollerFields, program, text } from '../poller-options.ts'
import { withoutSecrets } from '../url-secrets.ts'
import { createSvnHistory } from './history.ts'
import { alwaysTrunk, type SplitFile } from './split-file.ts'
import { createSvn } from './svn-process.ts'

export interface SvnPollerOptions extends PollerOptions {
  /** The repository, or a folder in it. */
  readonly svnurl: string
  /** From a path below `svnurl` to its branch and its name there; default `alwaysTrunk`. */
  readonly splitFile?: SplitFile | undefined
  readonly svnuser?: string | undefined
  /** Best as a `secret('…')`. Needs svn 1.10 or newer; never stands on its command line. */
  readonly svnpasswd?: string | SecretRef | undefined
  /** The svn program; default `svn`. */
  readonly svnbin?: string | undefined
}

interface CheckedSvn extends CheckedPoller {
  readonly svnurl: string
  readonly splitFile: SplitFile
  readonly svnuser?: string | undefined
  readonly svnpasswd?: string | SecretRef | undefined
  readonly svnbin: string
}

const schema: Schema<SvnPollerOptions, CheckedSvn> = z.strictObject({
  ...pollerFields,
  svnurl: address.refine(
    (url) => /^(svn(\+\w+)?|https?|file):\/\//.test(url),
    'Give a URL, as in https://svn.example.org/hello/trunk or file:///srv/svn/hello.',
  ),
  splitFile: z
    .custom<SplitFile>((value) => typeof value === 'function', 'Give a function, as trunkAndBranches.')
    .default(() => alwaysTrunk),
  svnuser: text.optional(),
  svnpasswd: secretOrText.optional(),
  svnbin: program('svn'),
})

/**
 * Asks a Subversion repository for new revisions and hands in each as a change, one for each branch it touches. The first poll only
 * notes where it stands.
 * @example svnPoller({ svnurl: 'https://svn.example.org/hello', splitFile: trunkAndBranches })
 */
export const svnPoller = definePlugin({
  name: 'vc/svn',
  kind: 'source',
  needs: ['changes', 'pollers', 'state', 'secrets'],
  schema,
  id: ({ svnurl }) => `svn ${withoutSecrets(svnurl)}`,
  apply(host, options) {
    const svnurl = options.svnurl.replace(/\/+$/, '')
    const repository = withoutSecrets(svnurl)
    const { svnuser: user, svnpasswd } = options
    const svn = createSvn(options.svnbin, {
      user,
      ...(svnpasswd !== undefined && { password: () => host.secrets.resolve(svnpasswd) }),
      hide: new Map([[svnurl, repository]]),
    })
    registerHistoryPoller(host, options, createSvnHistory({ svn, svnurl, repository, splitFile: options.splitFile }))
  },
})
