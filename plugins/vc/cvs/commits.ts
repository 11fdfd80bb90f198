import type { Dated } from '../time-window.ts'
import type { FileRevision } from './rlog.ts'

/** Without commit ids: what one author committed with one message, no more than this after another, is one commit. */
const TOGETHER_MS = 180_000

/** Files become commits; of each branch those of one commit. @param prefix of the files, left out in the changes. */
export function groupCommits(revisions: readonly FileRevision[], prefix: string): readonly Dated[] {
  return groupRevisions(revisions).map((group) => datedOf(group, prefix))
}

/** Oldest first, so are those of each group. */
export function groupRevisions(revisions: readonly FileRevision[]): readonly (readonly FileRevision[])[] {
  const groups: FileRevision[][] = []
  const open = new Map<string, FileRevision[]>()
  for (const one of revisions.toSorted((a, b) => a.when - b.when)) {
    // CVS writes these itself, on the trunk, when a file is born on a branch.
    if (one.branch === null && /^file \S+ was (initially )?added on branch /.test(one.message)) continue
    const key = JSON.stringify([one.branch, one.commitid ?? [one.author, one.message]])
    const group = open.get(key)
    if (group !== undefined && (one.commitid !== null || one.when - group.at(-1)!.when <= TOGETHER_MS)) group.push(one)
    else {
      const fresh = [one]
      open.set(key, fresh)
      groups.push(fresh)
    }
  }
  return groups
}

/** The commit of a group. */
export function datedOf(group: readonly FileRevision[], prefix: string): Dated {
  const first = group[0]!
  const when = group.at(-1)!.when
  const id = JSON.stringify([first.branch, first.commitid ?? [first.author, first.when, first.file]])
  const files = group.map(({ file }) => (file.startsWith(prefix) ? file.slice(prefix.length) : file))
  return {
    id,
    when,
    commit: {
      who: first.author,
      files: [...new Set(files)].toSorted(),
      comments: first.message,
      branch: first.branch,
      revision: cvsDate(when),
      when,
    },
  }
}

/** As cvs takes it for `-D`: a commit has no number, its time is its revision. */
export function cvsDate(when: number): string {
  return `${new Date(when).toISOString().slice(0, 19).replace('T', ' ')} +0000`
}
