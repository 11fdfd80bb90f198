import { defineStep, formatDuration, type StepContext, type StepOutcome } from 'boltbot/plugin-sdk'
import { applyPatch } from './apply-patch.ts'
import { type Checkout, checkoutSchema } from './checkout-options.ts'
import { createSlaveGit, say } from './slave-git.ts'
import { obtainTree, type Wanted } from './working-tree.ts'

export type { GitOptions } from './checkout-options.ts'

/**
 * Gets the sources of the build onto the slave, sets the property `got_revision`, and applies the source stamp's patch if it has
 * one. A failure ends the build.
 * @example git({ repourl: 'https://git.example.org/hello.git', mode: 'copy', retry: ['10s', 3] })
 */
export const git = defineStep({
  name: 'git',
  schema: checkoutSchema,
  flags: { haltOnFailure: true, flunkOnFailure: true },
  describe: ({ mode }) =>
    mode === 'clobber' || mode === 'export'
      ? { running: ['checking out'], done: ['checkout'] }
      : { running: ['updating'], done: ['update'] },
  async run(context, options) {
    const { sourceStamp } = context
    const wanted: Wanted = {
      repourl: context.render<string>(options.repourl),
      branch: sourceStamp.branch ?? (options.branch === undefined ? null : context.render<string>(options.branch)),
      revision: options.alwaysUseLatest ? null : sourceStamp.revision,
    }
    const odd = [wanted.branch, wanted.revision].find((name) => name !== null && !isRefName(name))
    if (odd !== undefined) return failed(`"${odd}" cannot be a branch or revision of git`)

    const workdir = context.render<string>(options.workdir)
    const revision = await withRetries(context, options, () => obtain(context, options, workdir, wanted))
    if (revision === null) return failed('see the log')
    context.setProperty('got_revision', revision)

    if (sourceStamp.patch !== null && !(await applyPatch(context, options, workdir, sourceStamp.patch)))
      return failed('the patch does not apply')
    if (options.mode === 'export' && !(await removeMetadata(context, options, workdir)))
      return failed('the folder .git could not be removed')
    return { result: 'success' }
  },
})

async function obtain(
  context: StepContext,
  options: Checkout,
  workdir: string,
  wanted: Wanted,
): Promise<string | null> {
  const { mode } = options
  if (mode !== 'copy') return obtainTree(context, options, workdir, wanted, mode !== 'update')
  const revision = await obtainTree(context, options, SOURCE, wanted, false)
  if (revision === null) return null
  const copied = await context.run({ kind: 'cpdir', from: SOURCE, to: workdir })
  if (copied.cause === 'exit') return revision
  await say(context, `"${SOURCE}" could not be copied to "${workdir}": ${copied.error ?? copied.cause}`)
  return null
}

/** Where mode `copy` keeps its tree. */
const SOURCE = 'source'

async function withRetries(
  context: StepContext,
  { retry }: Checkout,
  attempt: () => Promise<string | null>,
): Promise<string | null> {
  for (let tries = 0; ; tries++) {
    const revision = await attempt()
    if (revision !== null || tries === retry.repeats || context.signal.aborted) return revision
    await say(context, `checkout failed, next try in ${formatDuration(retry.delay)} (${tries + 1} of ${retry.repeats})`)
    await context.clock.sleep(retry.delay, context.signal)
  }
}

async function removeMetadata(context: StepContext, options: Checkout, workdir: string): Promise<boolean> {
  if (options.submodules) {
    const git = createSlaveGit(context, options, workdir)
    const list = await git.read('submodule', 'foreach', '--quiet', '--recursive', 'echo "$displaypath"') // git's own shell
    if (list === null) return false
    const paths = list.split('\n').filter((path) => path !== '')
    const removed = await context.run({ kind: 'rmfile', paths: paths.map((path) => `${workdir}/${path}/.git`) })
    if (removed.cause !== 'exit') return false
  }
  const removed = await context.run({ kind: 'rmdir', paths: [`${workdir}/.git`] })
  return removed.cause === 'exit'
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

function failed(why: string): StepOutcome {
  return { result: 'failure', detail: [`(${why})`] }
}
