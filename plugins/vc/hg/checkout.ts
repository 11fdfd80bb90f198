import { posix } from 'node:path'
import type { Renderable, Schema } from 'boltbot/plugin-sdk'
import { defineCheckout, refused } from '../checkout.ts'
import { type CheckedCheckout, type CheckoutOptions, checkoutSchema, renderable } from '../checkout-options.ts'
import { renderLogin, type StepLogin, stepLogin, webLogin } from '../login.ts'
import { createSlaveProgram } from '../slave-program.ts'
import { loginArguments } from './login.ts'

/** `username` and `password` are for a web address. */
export interface HgOptions extends CheckoutOptions, StepLogin {
  /** URL or path, as hg on the slave takes it. */
  readonly repourl: Renderable<string>
  /** For builds that name no branch; default `default`. */
  readonly defaultBranch?: Renderable<string> | undefined
}

interface CheckedHg extends CheckedCheckout, StepLogin {
  readonly repourl: Renderable<string>
  readonly defaultBranch: Renderable<string>
}

const schema: Schema<HgOptions, CheckedHg> = checkoutSchema({
  ...stepLogin,
  repourl: renderable,
  defaultBranch: renderable.default('default'),
}).refine(...webLogin('repourl'))

/**
 * Gets the sources of the build from Mercurial and sets the property `got_revision`. A failure ends the build.
 * @example hg({ repourl: 'https://hg.example.org/hello', mode: 'copy' })
 */
export const hg = defineCheckout({
  name: 'hg',
  schema,
  tree(context, options, revision) {
    const { sourceStamp, render } = context
    const repourl = render<string>(options.repourl)
    const branch = sourceStamp.branch ?? render<string>(options.defaultBranch)
    const odd = [branch, revision].find((name) => name !== null && !isName(name))
    if (typeof odd === 'string') return refused(odd, 'a branch or revision of hg')
    const { username, password } = renderLogin(context, options)
    const login = loginArguments(repourl, username)
    const hgIn = (directory: string) =>
      createSlaveProgram(context, options, { program: 'hg', directory, password, env: { HGPLAIN: '1' } })

    /** Names are quoted: a branch may be called as an operator of hg is. */
    async function bring(directory: string): Promise<string | null> {
      const tree = hgIn(directory)
      const wanted = revision === null ? `max(${branchOf(branch)})` : quoted(revision)
      if (!(await tree.run('update', '--clean', '--rev', wanted))) return null
      return tree.read('log', '--rev', '.', '--template', '{node}')
    }
    return {
      metadata: '.hg',
      origin: repourl,
      async checkOut(directory) {
        const parent = hgIn(posix.dirname(directory))
        const done = await parent.run('clone', ...login, '--noupdate', '--', repourl, posix.basename(directory))
        return done ? bring(directory) : null
      },
      async update(directory) {
        return (await hgIn(directory).run('pull', ...login, '--', repourl)) ? bring(directory) : null
      },
      // Unlike `patch` it knows files that are no text.
      applyPatch(directory, { file, level, folder }) {
        const place = folder === '' ? [] : ['--prefix', folder]
        return hgIn(directory).run('import', '--no-commit', '--force', '--strip', `${level}`, ...place, '--', file)
      },
    }
  },
})

const quoted = (name: string) => `"${name}"`
/** The pattern of `bookmark` says nothing where there is none of that name; a plain name would be an error. */
const branchOf = (name: string) => {
  const exactly = quoted(`re:^${name.replace(/[^\w/-]/g, '[$&]').replaceAll('[^]', '.')}$`)
  return `(branch(${exactly}) and not closed()) or bookmark(${exactly})`
}

/** Names, numbers and hashes; nothing that could end a quoted name. */
function isName(name: string): boolean {
  return name !== '' && name.length <= 1000 && !name.startsWith('-') && !/["\\\p{Cc}]/u.test(name)
}
