import { type Host, type Json, repositoryKey } from 'boltbot/plugin-sdk'

/** Where deliveries left the branches: a push that begins elsewhere tells that others were missed. */
export interface BranchHeads {
  get(repository: string, branch: string): Promise<BranchHead | undefined>
  set(repository: string, branch: string, head: BranchHead): Promise<void>
  forget(repository: string, branch: string): Promise<void>
}

export interface BranchHead {
  readonly revision: string
  /** When it was left to a poller; `null`: its changes were stored at once. */
  readonly leftAt: number | null
}

export function createBranchHeads({ state }: Pick<Host, 'state'>): BranchHeads {
  const key = (repository: string, branch: string) => `head ${JSON.stringify([repositoryKey(repository), branch])}`
  return {
    get: async (repository, branch) => (await state.get(key(repository, branch))) as BranchHead | undefined, // as saved
    set: (repository, branch, { revision, leftAt }) =>
      state.set(key(repository, branch), { revision, leftAt } satisfies Json),
    forget: (repository, branch) => state.delete(key(repository, branch)),
  }
}
