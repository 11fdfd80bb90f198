import { type Patch, patchBytes, type StepContext } from 'boltbot/plugin-sdk'
import type { Checkout } from './checkout-options.ts'
import { createSlaveGit, say } from './slave-git.ts'
import { PATCHED } from './working-tree.ts'

/** Applies the patch of a source stamp to a fresh checkout. False when it does not fit; the log says why. */
export async function applyPatch(
  context: StepContext,
  options: Checkout,
  directory: string,
  patch: Patch,
): Promise<boolean> {
  const git = createSlaveGit(context, options, directory)
  const folder = patch.subdir.replace(/^(?:\.?\/)+|\/+$/g, '')
  if (folder.split('/').includes('..')) {
    await say(context, `the patch is for "${folder}", which is outside of the tree`)
    return false
  }
  // First the mark: from here on the tree is not what git says.
  if (!(await sendFile(context, `${directory}/${PATCHED}`, new Uint8Array()))) return false
  const file = '.git/boltbot.patch'
  if (!(await sendFile(context, `${directory}/${file}`, patchBytes(patch)))) return false
  const place = folder === '' ? [] : [`--directory=${folder}`]
  const level = Math.max(0, Math.trunc(patch.level))
  return git.run('apply', `-p${level}`, ...place, '--whitespace=nowarn', '--', file)
}

async function sendFile(context: StepContext, path: string, bytes: Uint8Array): Promise<boolean> {
  const sent = await context.run(
    { kind: 'download', path, mode: 0o600 },
    { provide: async (offset, length) => bytes.subarray(offset, offset + length) },
  )
  return sent.cause === 'exit'
}
