import { renameSync } from 'node:fs'
import { messageOf } from 'boltbot/plugin-sdk'
import { type Opened, openMail } from './open-mail.ts'

/** What the thread is asked for, and what came of it: plain data. Paths are text with one character a byte. */
export type Job =
  | { readonly what: 'open'; readonly path: string }
  /** Within the maildir. */
  | { readonly what: 'move'; readonly path: string; readonly to: string }

export type Done = Opened | Moved

export type Moved =
  | { readonly what: 'moved' }
  | { readonly what: 'not moved'; readonly code: string; readonly reason: string }

/** Waits for the disk: only for a thread of its own. */
export function doJob(job: Job): Done | Promise<Done> {
  if (job.what === 'open') return openMail(Buffer.from(job.path, 'latin1'))
  try {
    renameSync(Buffer.from(job.path, 'latin1'), Buffer.from(job.to, 'latin1'))
    return { what: 'moved' }
  } catch (error) {
    return { what: 'not moved', code: (error as NodeJS.ErrnoException).code ?? '', reason: messageOf(error) }
  }
}
