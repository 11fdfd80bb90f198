import { posix } from 'node:path'
import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { addressOf, oneAddress, staysBelow } from '../branch-address.ts'
import { defineCheckout, refused } from '../checkout.ts'
import { type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
import { renderLogin, type StepLogin, stepLogin } from '../login.ts'
import { createSlaveProgram } from '../slave-program.ts'

/** A `password` needs svn 1.10 or newer on the slave. */
export interface SvnOptions extends CheckoutOptions, StepLogin {
  /** What to check out, whatever branch the build is of. Give this or `baseURL`. */
  readonly svnurl?: Renderable<string> | undefined
  /** The branch of the build is put behind it: `https://svn.example.org/hello/` and `branches/1.5`. */
  readonly baseURL?: Renderable<string> | undefined
  /** For builds that name no branch; default `trunk`. */
  readonly defaultBranch?: Renderable<string> | undefined
}

interface CheckedSvn extends CheckedCheckout, StepLogin {
  readonly svnurl?: Renderable<string> | undefined
  readonly baseURL?: Renderable<string> | undefined
  readonly defaultBranch: Renderable<string>
}

const schema: Schema<SvnOptions, CheckedSvn> = checkoutSchema({
  svnurl: renderable.optional(),
  baseURL: renderable.optional(),
  defaultBranch: renderable.default('trunk'),
  ...stepLogin,
}).refine(...oneAddress('svnurl'))

/**
 * Gets the sources of the build from Subversion and sets the property `got_revision`. A failure ends the build.
 * @example svn({ baseURL: 'https://svn.example.org/hello/', defaultBranch: 'trunk', mode: 'copy' })
 */
export const svn = defineCheckout({
  name: 'svn',
  schema,
  tree(context, options, revision) {
    const { branch, address } = addressOf(context, { ...options, address: options.svnurl }, isPath)
    if (address === null) return refused(branch, 'a branch of svn')
    if (revision !== null && !/^\d+$/.test(revision)) return refused(revision, 'a revision of svn')
    const at = revision ?? 'HEAD'
    const { username, password } = renderLogin(context, options)
    const login = [
      ...(username === undefined ? [] : ['--username', username]),
      ...(password === undefined ? [] : ['--password-from-stdin']),
    ]
    const svnIn = (directory: string) => createSlaveProgram(context, options, { program: 'svn', directory, password })
    const quiet = ['--non-interactive', '--no-auth-cache', ...login]
    const revisionOf = (directory: string) =>
      svnIn(directory).read('info', '--show-item', 'revision', '--no-newline', '.')

    return {
      metadata: '.svn',
      origin: address,
      async checkOut(directory) {
        const parent = svnIn(posix.dirname(directory))
        const done = await parent.run(
          'checkout',
          ...quiet,
          '--revision',
          at,
          `${address}@${at}`,
          posix.basename(directory),
        )
        return done ? revisionOf(directory) : null
      },
      async update(directory) {
        const tree = svnIn(directory)
        const done =
          (await tree.run('cleanup')) && // after a killed one
          (await tree.run('revert', '--recursive', '--quiet', '.')) &&
          (await tree.run('update', ...quiet, '--revision', at, '.'))
        return done ? revisionOf(directory) : null
      },
    }
  },
})

/** Below the base, and of one meaning. */
function isPath(branch: string): boolean {
  return branch.length <= 1000 && !/[@?#\\]/.test(branch) && staysBelow(branch)
}
