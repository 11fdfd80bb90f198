import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import {
  defineStep,
  formatDuration,
  patchBytes,
  type Schema,
  type StepContext,
  type StepFactory,
  type StepOutcome,
} from 'boltbot/plugin-sdk'
import { type CheckedCheckout, type CheckoutOptions, SOURCE } from './checkout-options.ts'
import { exists, say, sendFile } from './slave-program.ts'

/** The step that checks out of one version control system. */
export interface CheckoutDefinition<Options extends CheckoutOptions, Checked extends CheckedCheckout> {
  readonly name: string
  readonly schema: Schema<Options, Checked>
  /** Of which repository and branch the build is, and how to get that. `revision: null` is the newest. */
  tree(context: StepContext, options: Checked, revision: string | null): TreeKind | Refusal
}

/** Branches and revisions come from strangers: what a program could take for an option is refused. */
export interface Refusal {
  readonly refused: string
}

/** How one version control system gets a tree. Each resolves with what the tree is at, or with `null` when it failed; the log says why. */
export interface TreeKind {
  /** Its folder in each tree: `.svn`. */
  readonly metadata: string
  /** The same in the folders of a tree; default: it has the same name there. */
  readonly innerMetadata?: string
  /** How files must begin that lie in its folder and are not its own; default: as they like. */
  readonly ownPrefix?: string
  /** What is checked out, as text: a tree of another one is thrown away. */
  readonly origin: string
  /** Into a folder that is not there; its parent is. */
  checkOut(directory: string): Promise<string | null>
  /** A tree of this origin, which may have been changed by a build. */
  update(directory: string): Promise<string | null>
  /** Whether there is a tree of this origin. Left out: whether the frame made it. */
  isOurs?(directory: string): Promise<boolean>
  /** Makes a tree as if it had not been patched. Left out: a patched tree is checked out anew. */
  clean?(directory: string): Promise<boolean>
  /** False: a new checkout would fail as the update did, and the tree be gone. Left out: it is tried. */
  isReachable?(directory: string): Promise<boolean>
  /** Left out: by the program `patch`. */
  applyPatch?(directory: string, patch: PatchFile): Promise<boolean>
  /** Metadata besides the folders of that name, from the builder's directory; `null`: it cannot be told. */
  moreMetadata?(directory: string): Promise<readonly string[] | null>
}

export interface PatchFile {
  /** From the top of the tree. */
  readonly file: string
  readonly level: number
  /** Where in the tree it is applied; '' is the top. */
  readonly folder: string
}

/** A step that gets the tree in the way the mode says, sets `got_revision`, and applies the patch of the source stamp. */
export function defineCheckout<Options extends CheckoutOptions, Checked extends CheckedCheckout>({
  name,
  schema,
  tree,
}: CheckoutDefinition<Options, Checked>): StepFactory<Options> {
  return defineStep({
    name,
    schema,
    flags: { haltOnFailure: true, flunkOnFailure: true },
    describe: ({ mode }) =>
      mode === 'clobber' || mode === 'export'
        ? { running: ['checking out'], done: ['checkout'] }
        : { running: ['updating'], done: ['update'] },
    async run(context, options) {
      const kind = tree(context, options, options.alwaysUseLatest ? null : context.sourceStamp.revision)
      if ('refused' in kind) return failed(kind.refused)
      if (kind.origin.startsWith('-')) return failed(refused(kind.origin, 'the address of a repository').refused)
      return runCheckout(context, options, kind)
    },
  })
}

export function refused(name: string, what: string): Refusal {
  return { refused: `"${name}" cannot be ${what}` }
}

async function runCheckout(context: StepContext, options: CheckedCheckout, kind: TreeKind): Promise<StepOutcome> {
  const workdir = context.render<string>(options.workdir)
  const revision = await withRetries(context, options, () => obtain(context, options, kind, workdir))
  if (revision === null) return failed('see the log')
  context.setProperty('got_revision', revision)
  const { patch } = context.sourceStamp
  if (patch !== null && !(await applyPatch(context, options, kind, workdir))) return failed('the patch does not apply')
  if (options.mode === 'export' && !(await removeMetadata(context, kind, workdir)))
    return failed(`the folders ${kind.metadata} could not be removed`)
  return { result: 'success' }
}

async function obtain(
  context: StepContext,
  { mode }: CheckedCheckout,
  kind: TreeKind,
  workdir: string,
): Promise<string | null> {
  if (mode !== 'copy') return obtainTree(context, kind, workdir, mode !== 'update')
  const revision = await obtainTree(context, kind, SOURCE, false)
  if (revision === null) return null
  const copied = await context.run({ kind: 'cpdir', from: SOURCE, to: workdir })
  if (copied.cause === 'exit') return revision
  await say(context, `"${SOURCE}" could not be copied to "${workdir}": ${copied.error ?? copied.cause}`)
  return null
}

async function obtainTree(
  context: StepContext,
  kind: TreeKind,
  directory: string,
  fresh: boolean,
): Promise<string | null> {
  const mark = ownFile(kind, directory, `boltbot-${markOf(kind.origin)}`)
  const isOurs = () => kind.isOurs?.(directory) ?? exists(context, mark)
  if (!fresh && (await isOurs())) {
    const cleaned = await cleanTree(context, kind, directory)
    const revision = cleaned ? await kind.update(directory) : null
    if (revision !== null) return at(context, directory, revision)
    if (context.signal.aborted || ((await kind.isReachable?.(directory)) ?? true) === false) return null
    await say(
      context,
      cleaned ? `update of "${directory}" failed, checking out anew` : `"${directory}" was patched, checking out anew`,
    )
  }
  await context.run({ kind: 'rmdir', paths: [directory] })
  await context.run({ kind: 'mkdir', paths: [posix.dirname(directory)] })
  const revision = await kind.checkOut(directory)
  if (revision === null) return null
  // Only now: half a checkout is none.
  if (kind.isOurs === undefined && !(await sendFile(context, mark))) return null
  return at(context, directory, revision)
}

async function at(context: StepContext, directory: string, revision: string): Promise<string> {
  await say(context, `"${directory}" is at ${revision}`)
  return revision
}

/** Files that a patch of an earlier build made are unknown to the version control system: nothing else would remove them. */
async function cleanTree(context: StepContext, kind: TreeKind, directory: string): Promise<boolean> {
  const mark = patchedMark(kind, directory)
  if (!(await exists(context, mark))) return true
  if (kind.clean === undefined || !(await kind.clean(directory))) return false
  await context.run({ kind: 'rmfile', paths: [mark] })
  return true
}

const markOf = (origin: string) => createHash('sha256').update(origin).digest('hex').slice(0, 16)
const patchedMark = (kind: TreeKind, directory: string) => ownFile(kind, directory, 'boltbot-patched')
const ownFile = ({ metadata, ownPrefix = '' }: TreeKind, directory: string, name: string) =>
  `${directory}/${metadata}/${ownPrefix}${name}`

async function withRetries(
  context: StepContext,
  { retry }: CheckedCheckout,
  attempt: () => Promise<string | null>,
): Promise<string | null> {
  for (let tries = 0; ; tries++) {
    const revision = await attempt()
    if (revision !== null || tries === retry.repeats || context.signal.aborted) return revision
    await say(context, `checkout failed, next try in ${formatDuration(retry.delay)} (${tries + 1} of ${retry.repeats})`)
    await context.clock.sleep(retry.delay, context.signal)
  }
}

/** It cannot reach out of the tree. */
async function applyPatch(
  context: StepContext,
  options: CheckedCheckout,
  kind: TreeKind,
  workdir: string,
): Promise<boolean> {
  const patch = context.sourceStamp.patch!
  const folder = patch.subdir.replace(/^(?:\.?\/)+|\/+$/g, '')
  if (folder.split('/').includes('..')) {
    await say(context, `the patch is for "${folder}", which is outside of the tree`)
    return false
  }
  // First the mark: from here on the tree is not what the version control system says.
  if (!(await sendFile(context, patchedMark(kind, workdir)))) return false
  const file = `${kind.metadata}/${kind.ownPrefix ?? ''}boltbot.patch`
  if (!(await sendFile(context, `${workdir}/${file}`, patchBytes(patch)))) return false
  const given = { file, level: Math.max(0, Math.trunc(patch.level)), folder }
  return kind.applyPatch?.(workdir, given) ?? runPatch(context, options, workdir, given)
}

/** By a program that refuses to leave the tree. */
async function runPatch(
  context: StepContext,
  { timeout }: CheckedCheckout,
  workdir: string,
  { file, level, folder }: PatchFile,
): Promise<boolean> {
  const up = folder === '' ? '' : '../'.repeat(folder.split('/').length)
  const done = await context.run({
    kind: 'shell',
    command: ['patch', `-p${level}`, '--forward', '--batch', '--remove-empty-files', `--input=${up}${file}`],
    workdir: posix.join(workdir, folder),
    timeout,
  })
  return done.cause === 'exit' && done.exitCode === 0
}

async function removeMetadata(context: StepContext, kind: TreeKind, workdir: string): Promise<boolean> {
  const { metadata, innerMetadata = metadata } = kind
  const more = (await kind.moreMetadata?.(workdir)) ?? (kind.moreMetadata === undefined ? [] : null)
  if (more === null) return false
  if (more.length > 0 && (await context.run({ kind: 'rmfile', paths: more })).cause !== 'exit') return false
  const inside = await context.run({ kind: 'glob', pattern: `${workdir}/**/${innerMetadata}` })
  const found = Array.isArray(inside.data) ? inside.data.map(String) : []
  const removed = await context.run({ kind: 'rmdir', paths: [...new Set([`${workdir}/${metadata}`, ...found])] })
  return removed.cause === 'exit'
}

function failed(why: string): StepOutcome {
  return { result: 'failure', detail: [`(${why})`] }
}
