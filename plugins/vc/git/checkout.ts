import { defineCheckout, refused } from '../checkout.ts'
import { createSlaveProgram } from '../slave-program.ts'
import { secretsIn } from '../url-secrets.ts'
import { gitSchema } from './checkout-options.ts'
import { credentialHelper, withLogin } from './credentials.ts'
import { createGitTree, patternOf, type Wanted } from './working-tree.ts'

export type { GitOptions } from './checkout-options.ts'

/**
 * Gets the sources of the build onto the slave, sets the property `got_revision`, and applies the source stamp's patch if it has
 * one. A failure ends the build.
 * @example git({ repourl: 'https://git.example.org/hello.git', mode: 'copy', retry: ['10s', 3] })
 */
export const git = defineCheckout({
  name: 'git',
  schema: gitSchema,
  tree(context, options, revision) {
    const { sourceStamp, render } = context
    const { repourl, credentials } = withLogin({
      repourl: render<string>(options.repourl),
      credentials: options.credentials && render<{ username: string; password: string }>(options.credentials),
    })
    const wanted: Wanted = {
      repourl,
      branch: sourceStamp.branch ?? (options.branch === undefined ? null : render<string>(options.branch)),
      revision,
    }
    const odd = [wanted.branch, wanted.revision].find((name) => name !== null && !isRefName(name))
    if (typeof odd === 'string') return refused(odd, 'a branch or revision of git')
    const login = credentials && credentialHelper(repourl, credentials.username, credentials.password)
    const env = { ...ENVIRONMENT, ...login }
    const hidden = secretsIn(repourl)
    const secrets = [
      ...hidden,
      ...(hidden.length === 0 && typeof options.repourl === 'string' ? [] : [patternOf(repourl)]),
      ...(credentials === undefined ? [] : [credentials.password]),
    ]
    const gitIn = (directory: string) =>
      createSlaveProgram(context, options, { program: 'git', directory, env, secrets })
    return createGitTree({ context, options, wanted, gitIn })
  },
})

const ENVIRONMENT = {
  GIT_TERMINAL_PROMPT: '0',
  // Named, so that a repository around the slave's directory is never taken for the missing one here.
  GIT_DIR: '.git',
  GIT_WORK_TREE: null,
  GIT_INDEX_FILE: null,
}

/** Branches and revisions come from strangers: whatever git could read as an option, a range or another command's word is refused. */
function isRefName(name: string): boolean {
  return (
    name !== '' &&
    name.length <= 1000 &&
    !name.startsWith('-') &&
    !name.includes('..') &&
    !name.includes('@{') &&
    !/[\s~^:?*[\]\\\p{Cc}]/u.test(name)
  )
}
