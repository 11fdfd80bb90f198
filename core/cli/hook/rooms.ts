import type { HookRoom } from '../../../plugins/vc/hook-room.ts'

/** What each version control system tells its hooks; loaded when it is asked for, as a hook is in a hurry. */
export const ROOMS: Readonly<Record<string, () => Promise<HookRoom>>> = {
  git: async () => (await import('../../../plugins/vc/git/hook.ts')).gitHook,
  svn: async () => (await import('../../../plugins/vc/svn/hook.ts')).svnHook,
  hg: async () => (await import('../../../plugins/vc/hg/hook.ts')).hgHook,
  bzr: async () => (await import('../../../plugins/vc/bzr/hook.ts')).bzrHook,
  darcs: async () => (await import('../../../plugins/vc/darcs/hook.ts')).darcsHook,
  cvs: async () => (await import('../../../plugins/vc/cvs/hook.ts')).cvsHook,
  arch: async () => (await import('../../../plugins/vc/arch/hook.ts')).archHook,
}
