import { execFileSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { createFolder } from './sqlite-rig.ts'

/** A file system of so many MiB; `undefined`, with the test skipped by name, where one may not be mounted. */
export async function createSmallDisk(t: TestContext, mib: number) {
  const folder = await createFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder.path], { stdio: 'ignore' })
  } catch {
    await folder[Symbol.asyncDispose]()
    t.skip('needs the right to mount a small tmpfs')
    return undefined
  }
  return {
    path: folder.path,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [folder.path])
      await folder[Symbol.asyncDispose]()
    },
  }
}
