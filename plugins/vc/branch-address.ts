import type { Renderable, StepContext } from 'boltbot/plugin-sdk'

/** Where each branch has an address of its own: one for all builds, or a base that the branch of the build is put behind. */
export interface BranchAddresses {
  /** For all builds. */
  readonly address: Renderable<string> | undefined
  readonly baseURL?: Renderable<string> | undefined
  /** For builds that name no branch. */
  readonly defaultBranch?: Renderable<string> | undefined
}

/** For `refine` of the options as a whole; `name` is what the one address is called there. */
export function oneAddress<Name extends string>(name: Name) {
  const isOne = (options: { readonly [Key in Name | 'baseURL']?: Renderable<string> | undefined }) =>
    (options[name] === undefined) !== (options.baseURL === undefined)
  const issue = { path: [name as string], message: `Give either ${name} or baseURL.` }
  return [isOne, issue] as const
}

/** `address: null`: the branch is no path below the base. */
export function addressOf(
  { sourceStamp, render }: StepContext,
  { address, baseURL, defaultBranch = '' }: BranchAddresses,
  isPath: (branch: string) => boolean = staysBelow,
): { readonly branch: string; readonly address: string | null } {
  const branch = sourceStamp.branch ?? render<string>(defaultBranch)
  if (address !== undefined) return { branch, address: render<string>(address) }
  if (!isPath(branch)) return { branch, address: null }
  return { branch, address: `${render<string>(baseURL!).replace(/\/+$/, '')}/${branch.replace(/^\/+/, '')}` }
}

export function staysBelow(branch: string): boolean {
  return !branch.split('/').includes('..') && !/\p{Cc}/u.test(branch)
}
