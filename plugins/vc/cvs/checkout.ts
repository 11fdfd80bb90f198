import { posix } from 'node:path'
import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { defineCheckout, refused } from '../checkout.ts'
import { type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
import { createSlaveProgram } from '../slave-program.ts'
import { cvsDate } from './commits.ts'

export interface CvsOptions extends CheckoutOptions {
  /** As in `cvs -d`. The password of a pserver is in `~/.cvspass` on the slave. */
  readonly cvsroot: Renderable<string>
  readonly cvsmodule: Renderable<string>
  /** For builds that name no branch; default: the trunk. */
  readonly branch?: Renderable<string> | undefined
}

interface CheckedCvs extends CheckedCheckout {
  readonly cvsroot: Renderable<string>
  readonly cvsmodule: Renderable<string>
  readonly branch?: Renderable<string> | undefined
}

const schema: Schema<CvsOptions, CheckedCvs> = checkoutSchema({
  cvsroot: renderable,
  cvsmodule: renderable,
  branch: renderable.optional(),
})

/**
 * Gets the sources of the build from CVS, as they were at the time that is its revision, and sets the property `got_revision`. A
 * failure ends the build.
 * @example cvs({ cvsroot: ':pserver:anonymous@cvs.example.org:/cvsroot', cvsmodule: 'hello' })
 */
export const cvs = defineCheckout({
  name: 'cvs',
  schema,
  tree(context, options, wanted) {
    const { sourceStamp, render } = context
    const cvsroot = render<string>(options.cvsroot)
    const cvsmodule = render<string>(options.cvsmodule)
    const named = sourceStamp.branch ?? (options.branch === undefined ? null : render<string>(options.branch))
    const branch = named === 'HEAD' ? null : named
    if (branch !== null && !/^[A-Za-z][\w-]*$/.test(branch)) return refused(branch, 'a branch of cvs')
    if (wanted !== null && !/^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( [+-]\d{4})?$/.test(wanted))
      return refused(wanted, 'a time, which is what revisions of cvs are')
    // Of the newest only the time of asking is known.
    const at = wanted ?? cvsDate(context.clock.now())
    const date = wanted === null ? [] : ['-D', at]
    const on = branch === null ? [] : ['-r', branch]
    const cvsIn = (directory: string) => createSlaveProgram(context, options, { program: 'cvs', directory })
    const flags = ['-f', '-z3', '-q', '-d', cvsroot]

    return {
      metadata: 'CVS',
      origin: `${cvsroot} ${cvsmodule}`,
      async checkOut(directory) {
        const args = ['checkout', '-P', '-d', posix.basename(directory), ...on, ...date, '--', cvsmodule]
        return (await cvsIn(posix.dirname(directory)).run(...flags, ...args)) ? at : null
      },
      async update(directory) {
        const sticky = on.length + date.length === 0 ? ['-A'] : [...(branch === null ? ['-A'] : on), ...date]
        return (await cvsIn(directory).run(...flags, 'update', '-dPC', ...sticky)) ? at : null
      },
    }
  },
})
