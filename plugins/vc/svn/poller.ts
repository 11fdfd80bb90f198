import { definePlugin, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { programEnvironment, withoutSecrets } from '../environment.ts'
import { registerHistoryPoller } from '../history-poller.ts'
import { address, type CheckedPoller, type PollerOptions, pollerFields, program, text } from '../poller-options.ts'
import { createProgram } from '../program.ts'
import { createSvnHistory } from './history.ts'
import { alwaysTrunk, type SplitFile } from './split-file.ts'

export interface SvnPollerOptions extends PollerOptions {
  /** The repository, or a folder in it. */
  readonly svnurl: string
  /** From a path below `svnurl` to its branch and its name there; default `alwaysTrunk`. */
  readonly splitFile?: SplitFile | undefined
  readonly svnuser?: string | undefined
  /** Better in the svn configuration of the user the master runs as: others on this machine can see it as svn runs. */
  readonly svnpasswd?: string | undefined
  /** The svn program; default `svn`. */
  readonly svnbin?: string | undefined
}

interface CheckedSvn extends CheckedPoller {
  readonly svnurl: string
  readonly splitFile: SplitFile
  readonly svnuser?: string | undefined
  readonly svnpasswd?: string | undefined
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
  svnpasswd: text.optional(),
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
  needs: ['changes', 'pollers', 'state'],
  schema,
  id: ({ svnurl }) => `svn ${withoutSecrets(svnurl)}`,
  apply(host, options) {
    const svnurl = options.svnurl.replace(/\/+$/, '')
    const repository = withoutSecrets(svnurl)
    const hide = new Map([[svnurl, repository]])
    if (options.svnpasswd) hide.set(options.svnpasswd, '***')
    const run = createProgram({ bin: options.svnbin, option: 'svnbin', env: svnEnvironment, hide })
    const login = [
      ...(options.svnuser === undefined ? [] : ['--username', options.svnuser]),
      ...(options.svnpasswd === undefined ? [] : ['--password', options.svnpasswd]),
    ]
    registerHistoryPoller(
      host,
      options,
      createSvnHistory({
        svn: (args, how) => run([...args, '--non-interactive', '--no-auth-cache', ...login], how),
        svnurl,
        repository,
        splitFile: options.splitFile,
      }),
    )
  },
})

const svnEnvironment = () => programEnvironment(/^SVN_/, /^SVN_SSH$/, {})
