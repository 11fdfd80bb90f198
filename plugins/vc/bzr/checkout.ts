import { posix } from 'node:path'
import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { addressOf, oneAddress } from '../branch-address.ts'
import { defineCheckout, refused } from '../checkout.ts'
import { type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
import { renderLogin, type StepLogin, stepLogin, webLogin } from '../login.ts'
import { createSlaveProgram } from '../slave-program.ts'
import { asUser } from './as-user.ts'

/** `username` and `password` are for a web address. */
export interface BzrOptions extends CheckoutOptions, StepLogin {
  /** The branch to check out, whatever branch the build is of. Give this or `baseURL`. */
  readonly repourl?: Renderable<string> | undefined
  /** The branch of the build is put behind it. */
  readonly baseURL?: Renderable<string> | undefined
  /** For builds that name no branch; default `trunk`. */
  readonly defaultBranch?: Renderable<string> | undefined
  /** The program on the slave, `brz` or `bzr`; default `brz`. */
  readonly bzrbin?: string | undefined
}

interface CheckedBzr extends CheckedCheckout, StepLogin {
  readonly repourl?: Renderable<string> | undefined
  readonly baseURL?: Renderable<string> | undefined
  readonly defaultBranch: Renderable<string>
  readonly bzrbin: string
}

const schema: Schema<BzrOptions, CheckedBzr> = checkoutSchema({
  ...stepLogin,
  repourl: renderable.optional(),
  baseURL: renderable.optional(),
  defaultBranch: renderable.default('trunk'),
  bzrbin: z.string('Give the path of the brz program.').min(1).default('brz'),
})
  .refine(...webLogin('repourl', 'baseURL'))
  .refine(...oneAddress('repourl'))

/**
 * Gets the sources of the build from Bazaar and sets the property `got_revision`. A failure ends the build.
 * @example bzr({ repourl: 'https://bzr.example.org/hello/trunk' })
 */
export const bzr = defineCheckout({
  name: 'bzr',
  schema,
  tree(context, options, revision) {
    const { branch, address } = addressOf(context, { ...options, address: options.repourl })
    if (address === null) return refused(branch, 'a branch of bzr')
    if (revision !== null && !/^(?:\d+(?:\.\d+\.\d+)?|revid:[^\s\p{Cc}]+)$/u.test(revision))
      return refused(revision, 'a revision of bzr')
    const at = revision === null ? [] : [`--revision=${revision}`]
    const { username, password } = renderLogin(context, options)
    const from = asUser(username, address)
    const bzrIn = (directory: string) =>
      createSlaveProgram(context, options, { program: options.bzrbin, directory, password })
    const revisionOf = (directory: string) => bzrIn(directory).read('revno', '--tree')

    return {
      metadata: '.bzr',
      origin: address,
      async checkOut(directory) {
        const parent = bzrIn(posix.dirname(directory))
        const done = await parent.run('branch', '--quiet', ...at, '--', from, posix.basename(directory))
        return done ? revisionOf(directory) : null
      },
      async update(directory) {
        const tree = bzrIn(directory)
        const done =
          (await tree.run('revert', '--quiet', '--no-backup')) &&
          (await tree.run('pull', '--quiet', '--overwrite', ...at, '--', from))
        return done ? revisionOf(directory) : null
      },
    }
  },
})
