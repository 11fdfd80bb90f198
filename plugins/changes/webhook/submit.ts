import { type ChangeInput, type Host, isRefusal } from 'boltbot/plugin-sdk'

/** What became of changes. */
export interface Submission {
  readonly taken: number
  /** Were stored before. */
  readonly known: number
  /** Why some never will be. */
  readonly refused: readonly string[]
}

/** Handed in at once: they are stored in order, and by one write to the disk. */
const AT_ONCE = 100

/**
 * Hands changes in, in order; those that are refused for good are passed over.
 * @throws what else goes wrong, as a store that fails.
 */
export async function submit(
  { submitChange, log }: Pick<Host, 'submitChange' | 'log'>,
  changes: readonly ChangeInput[],
): Promise<Submission> {
  let [taken, known] = [0, 0]
  const refused: string[] = []
  for (let from = 0; from < changes.length; from += AT_ONCE) {
    const some = changes.slice(from, from + AT_ONCE)
    const settled = await Promise.allSettled(some.map((change) => submitChange(change)))
    for (const [i, one] of settled.entries()) {
      if (one.status === 'fulfilled') one.value.duplicate ? known++ : taken++
      else if (isRefusal(one.reason)) {
        const { branch = null, revision = null, repository } = some[i]!
        log.warn('change rejected, it is passed over', { repository, branch, revision, error: one.reason })
        refused.push(one.reason.message)
      } else throw one.reason
    }
  }
  return { taken, known, refused }
}
