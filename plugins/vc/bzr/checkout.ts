import { posix } from 'node:path'
import { defineStep, type Renderable, type Schema } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { describeCheckout, refused, runCheckout } from '../checkout.ts'
import {
  type CheckedCheckout,
  type CheckoutOptions,
  checkoutFields,
  notItsSource,
  renderable,
} from '../checkout-options.ts'
import { createSlaveProgram } from '../slave-program.ts'

export interface BzrOptions extends CheckoutOptions {
  /** The branch to check out, whatever branch the build is of. Give this or `baseURL`. */
  readonly repourl?: Renderable<string> | undefined
  /** The branch of the build is put behind it. */
  readonly baseURL?: Renderable<string> | undefined
  /** For builds that name no branch; default `trunk`. */
  readonly defaultBranch?: Renderable<string> | undefined
  /** The program on the slave, `brz` or `bzr`; default `brz`. */
  readonly bzrbin?: string | undefined
}

interface CheckedBzr extends CheckedCheckout {
  readonly repourl?: Renderable<string> | undefined
  readonly baseURL?: Renderable<string> | undefined
  readonly defaultBranch: Renderable<string>
  readonly bzrbin: string
}

const schema: Schema<BzrOptions, CheckedBzr> = z
  .strictObject({
    ...checkoutFields,
    repourl: renderable.optional(),
    baseURL: renderable.optional(),
    defaultBranch: renderable.default('trunk'),
    bzrbin: z.string('Give the path of the brz program.').min(1).default('brz'),
  })
  .refine(notItsSource.test, notItsSource.issue)
  .refine(({ repourl, baseURL }) => (repourl === undefined) !== (baseURL === undefined), {
    path: ['repourl'],
    message: 'Give either repourl or baseURL.',
  })

/**
 * Gets the sources of the build from Bazaar and sets the property `got_revision`. A failure ends the build.
 * @example bzr({ repourl: 'https://bzr.example.org/hello/trunk' })
 */
export const bzr = defineStep({
  name: 'bzr',
  schema,
  flags: { haltOnFailure: true, flunkOnFailure: true },
  describe: (options) => describeCheckout(options),
  async run(context, options) {
    const { sourceStamp, render } = context
    const branch = sourceStamp.branch ?? render<string>(options.defaultBranch)
    if (options.repourl === undefined && (branch.split('/').includes('..') || /\p{Cc}/u.test(branch)))
      return refused(branch, 'a branch of bzr')
    const url =
      options.repourl === undefined
        ? `${render<string>(options.baseURL!).replace(/\/+$/, '')}/${branch.replace(/^\/+/, '')}`
        : render<string>(options.repourl)
    const revision = options.alwaysUseLatest ? null : sourceStamp.revision
    if (revision !== null && !/^(?:\d+(?:\.\d+\.\d+)?|revid:[^\s\p{Cc}]+)$/u.test(revision))
      return refused(revision, 'a revision of bzr')
    const at = revision === null ? [] : [`--revision=${revision}`]
    const bzrIn = (directory: string) => createSlaveProgram(context, options, { program: options.bzrbin, directory })
    const revisionOf = (directory: string) => bzrIn(directory).read('revno', '--tree')

    return runCheckout(context, options, {
      metadata: '.bzr',
      origin: url,
      async checkOut(directory) {
        const parent = bzrIn(posix.dirname(directory))
        const done = await parent.run('branch', '--quiet', ...at, '--', url, posix.basename(directory))
        return done ? revisionOf(directory) : null
      },
      async update(directory) {
        const tree = bzrIn(directory)
        const done =
          (await tree.run('revert', '--quiet', '--no-backup')) &&
          (await tree.run('pull', '--quiet', '--overwrite', ...at, '--', url))
        return done ? revisionOf(directory) : null
      },
    })
  },
})
