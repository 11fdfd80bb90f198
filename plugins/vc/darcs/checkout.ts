import { posix } from 'node:path'
import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { addressOf, oneAddress } from '../branch-address.ts'
import { defineCheckout, refused } from '../checkout.ts'
import { type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
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

const schema: Schema<DarcsOptions, CheckedDarcs> = checkoutSchema({
  repourl: renderable.optional(),
  baseURL: renderable.optional(),
  defaultBranch: renderable.optional(),
})
  .refine(...oneAddress('repourl'))
  .refine(({ baseURL, defaultBranch }) => baseURL === undefined || defaultBranch !== undefined, {
    path: ['defaultBranch'],
    message: 'Say what a build without a branch checks out.',
  })

/**
 * Gets the sources of the build from darcs and sets the property `got_revision`, the hash of the newest patch. A failure ends the
 * build.
 * @example darcs({ repourl: 'https://darcs.example.org/hello' })
 */
export const darcs = defineCheckout({
  name: 'darcs',
  schema,
  tree(context, options, revision) {
    const { branch, address } = addressOf(context, { ...options, address: options.repourl })
    if (address === null) return refused(branch, 'a branch of darcs')
    // The hash of a patch, or what `darcs log --context` says of a tree: clients of try send that.
    const isContext = revision !== null && /^\s*Context:\n/.test(revision)
    if (revision !== null && !isContext && !/^[0-9a-f]{40}$/.test(revision))
      return refused(revision, 'a patch of darcs')
    const darcsIn = (directory: string) => createSlaveProgram(context, options, { program: 'darcs', directory })
    const revisionOf = async (directory: string) => {
      const said = await darcsIn(directory).read('log', '--max-count=1')
      return said === null ? null : (/^patch ([0-9a-f]{40})$/m.exec(said)?.[1] ?? null)
    }

    return {
      metadata: '_darcs',
      origin: address,
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
          address,
          posix.basename(directory),
        )
        return done ? revisionOf(directory) : null
      },
      async update(directory) {
        const tree = darcsIn(directory)
        if (!(await tree.run('revert', '--quiet', '--all'))) return null
        // Patches have no order of their own: a tree of just those up to one is made anew, unless it is there.
        if (revision !== null) return (await revisionOf(directory)) === revision ? revision : null
        return (await tree.run('pull', '--quiet', '--all', address)) ? revisionOf(directory) : null
      },
    }
  },
})
