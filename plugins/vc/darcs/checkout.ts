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
import { createSlaveProgram, sendFile } from '../slave-program.ts'

export interface DarcsOptions extends CheckoutOptions {
  /** The repository to check out, whatever branch the build is of. Give this or `baseURL`. */
  readonly repourl?: Renderable<string> | undefined
  /** The branch of the build is put behind it. */
  readonly baseURL?: Renderable<string> | undefined
  /** For builds that name no branch; needed with `baseURL`. */
  readonly defaultBranch?: Renderable<string> | undefined
}

type CheckedDarcs = CheckedCheckout & Pick<DarcsOptions, 'repourl' | 'baseURL' | 'defaultBranch'>

const schema: Schema<DarcsOptions, CheckedDarcs> = z
  .strictObject({
    ...checkoutFields,
    repourl: renderable.optional(),
    baseURL: renderable.optional(),
    defaultBranch: renderable.optional(),
  })
  .refine(notItsSource.test, notItsSource.issue)
  .refine(({ repourl, baseURL }) => (repourl === undefined) !== (baseURL === undefined), {
    path: ['repourl'],
    message: 'Give either repourl or baseURL.',
  })
  .refine(({ baseURL, defaultBranch }) => baseURL === undefined || defaultBranch !== undefined, {
    path: ['defaultBranch'],
    message: 'Say what a build without a branch checks out.',
  })

/**
 * Gets the sources of the build from darcs and sets the property `got_revision`, the hash of the newest patch. A failure ends the
 * build.
 * @example darcs({ repourl: 'https://darcs.example.org/hello' })
 */
export const darcs = defineStep({
  name: 'darcs',
  schema,
  flags: { haltOnFailure: true, flunkOnFailure: true },
  describe: (options) => describeCheckout(options),
  async run(context, options) {
    const { sourceStamp, render } = context
    const branch = sourceStamp.branch ?? render<string>(options.defaultBranch ?? '')
    if (options.repourl === undefined && (branch.split('/').includes('..') || /\p{Cc}/u.test(branch)))
      return refused(branch, 'a branch of darcs')
    const url =
      options.repourl === undefined
        ? `${render<string>(options.baseURL!).replace(/\/+$/, '')}/${branch.replace(/^\/+/, '')}`
        : render<string>(options.repourl)
    const revision = options.alwaysUseLatest ? null : sourceStamp.revision
    // The hash of a patch, or what `darcs log --context` says of a tree: clients of try send that.
    const isContext = revision !== null && /^\s*Context:\n/.test(revision)
    if (revision !== null && !isContext && !/^[0-9a-f]{40}$/.test(revision))
      return refused(revision, 'a patch of darcs')
    const darcsIn = (directory: string) => createSlaveProgram(context, options, { program: 'darcs', directory })
    const revisionOf = async (directory: string) => {
      const said = await darcsIn(directory).read('log', '--max-count=1')
      return said === null ? null : (/^patch ([0-9a-f]{40})$/m.exec(said)?.[1] ?? null)
    }

    return runCheckout(context, options, {
      metadata: '_darcs',
      origin: url,
      async checkOut(directory) {
        const file = `${directory}.context`
        if (isContext && !(await sendFile(context, file, Buffer.from(`\n${revision.trim()}\n`)))) return null
        const named = isContext ? `--context=${posix.basename(file)}` : `--to-hash=${revision}`
        const at = revision === null ? [] : [named]
        const done = await darcsIn(posix.dirname(directory)).run(
          'clone',
          '--quiet',
          '--lazy',
          ...at,
          url,
          posix.basename(directory),
        )
        return done ? revisionOf(directory) : null
      },
      async update(directory) {
        const tree = darcsIn(directory)
        if (!(await tree.run('revert', '--quiet', '--all'))) return null
        // Patches have no order of their own: a tree of just those up to one is made anew, unless it is there.
        if (revision !== null) return (await revisionOf(directory)) === revision ? revision : null
        return (await tree.run('pull', '--quiet', '--all', url)) ? revisionOf(directory) : null
      },
    })
  },
})
