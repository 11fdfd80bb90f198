import { posix } from 'node:path'
import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { defineCheckout, refused } from '../checkout.ts'
import { type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
import { createSlaveProgram } from '../slave-program.ts'

export interface ArchOptions extends CheckoutOptions {
  /** Where the archive is: a path, or a URL as tla on the slave takes it. */
  readonly url: Renderable<string>
  /** Its name: `jane@example.org--2026`. */
  readonly archive: Renderable<string>
  /** For builds that name no branch: `hello--main--1.0`. */
  readonly version: Renderable<string>
}

interface CheckedArch extends CheckedCheckout {
  readonly url: Renderable<string>
  readonly archive: Renderable<string>
  readonly version: Renderable<string>
}

const schema: Schema<ArchOptions, CheckedArch> = checkoutSchema({
  url: renderable,
  archive: renderable,
  version: renderable,
})

/**
 * Gets the sources of the build from an Arch archive by tla, and sets the property `got_revision`: `patch-7`. A failure ends the build.
 * @example arch({ url: '/srv/archives/2026', archive: 'jane@example.org--2026', version: 'hello--main--1.0' })
 */
export const arch = defineCheckout({
  name: 'arch',
  schema,
  tree(context, options, revision) {
    const { sourceStamp, render } = context
    const [url, archive] = [render<string>(options.url), render<string>(options.archive)]
    const version = sourceStamp.branch ?? render<string>(options.version)
    if (!/^[a-z]\w*(?:-\w+)*(?:--[\w.]+(?:-[\w.]+)*)+$/i.test(version)) return refused(version, 'a version of arch')
    if (revision !== null && !/^(?:base|patch|version|versionfix)-\d+$/.test(revision))
      return refused(revision, 'a revision of arch')
    const wanted = `${archive}/${version}${revision === null ? '' : `--${revision}`}`
    const tlaIn = (directory: string) => createSlaveProgram(context, options, { program: 'tla', directory })
    const revisionOf = async (directory: string) => {
      const said = await tlaIn(directory).read('logs', '--reverse', `${archive}/${version}`)
      return said === null ? null : said.split('\n')[0] || null
    }
    /** Archives are known by name to the account, wherever they are now. */
    const register = (directory: string) => tlaIn(directory).run('register-archive', '--force', archive, url)

    return {
      metadata: '{arch}',
      innerMetadata: '.arch-ids',
      ownPrefix: '++', // others it takes for files of the tree, and removes
      origin: `${url} ${archive} ${version}`,
      async checkOut(directory) {
        const parent = posix.dirname(directory)
        const done =
          (await register(parent)) &&
          (await tlaIn(parent).run('get', '--no-pristine', wanted, posix.basename(directory)))
        return done ? revisionOf(directory) : null
      },
      async update(directory) {
        const tree = tlaIn(directory)
        if (!(await register(directory)) || !(await tree.run('undo', '--no-output'))) return null
        // It goes forward only; back is a new checkout.
        if (revision !== null) return (await revisionOf(directory)) === revision ? revision : null
        return (await tree.run('replay', '--new', `${archive}/${version}`)) ? revisionOf(directory) : null
      },
    }
  },
})
