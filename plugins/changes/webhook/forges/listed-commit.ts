import { z } from 'zod'
import type { Commit } from './forge.ts'
import { optional, person, timeOf, whoOf } from './payload.ts'

/** A commit as it stands in the pushes of GitHub, Gitea and GitLab. */
export const LISTED_COMMIT = z.object({
  id: z.string(),
  message: z.string(),
  timestamp: optional(z.string()),
  url: optional(z.string()),
  author: optional(person),
  added: optional(z.array(z.string())),
  modified: optional(z.array(z.string())),
  removed: optional(z.array(z.string())),
})

export function commitOf(listed: z.infer<typeof LISTED_COMMIT>): Commit {
  const { id, message, timestamp, url, author, added, modified, removed } = listed
  return {
    revision: id,
    who: whoOf(author?.name, author?.email),
    comments: message.trimEnd(),
    files: [...new Set([...(added ?? []), ...(modified ?? []), ...(removed ?? [])])],
    revlink: url,
    when: timeOf(timestamp),
  }
}
