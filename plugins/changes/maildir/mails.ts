import { deliveryTime } from './delivery-order.ts'
import { folderFailed, mailNotAFile, mailTooLarge, mailUnreadable } from './errors.ts'
import type { Folder } from './folder.ts'
import type { CommitMail } from './mail.ts'
import type { MailThread } from './mail-thread.ts'
import { MAX_MAIL_BYTES } from './open-mail.ts'

/** The mails in `new`, one by one. */
export interface Mails {
  /** `null` when it is gone. @throws CiError of the mail; `BOLT_MAILDIR_FOLDER` when it may be read later. */
  open(name: string): Promise<ReadMail | null>
  /** To `cur`. A mail that is gone is fine. @throws CiError `BOLT_MAILDIR_FOLDER`. */
  putAway(name: string): Promise<void>
}

export interface ReadMail {
  readonly mail: CommitMail
  /** Of its body; of all of it when it has no Message-ID. */
  readonly digest: string
}

export function createMails(thread: Pick<MailThread, 'run'>, folder: Folder): Mails {
  return {
    async open(name) {
      const opened = await thread.run({ what: 'open', path: folder.incomingPath(name) })
      switch (opened.what) {
        case 'mail': {
          const { headers, ...mail } = opened.mail
          const received = deliveryTime(name) ?? opened.modified
          const header = (key: string) => headers.get(key.toLowerCase()) ?? null
          return { mail: { ...mail, received, header }, digest: opened.digest }
        }
        case 'no file':
          throw mailNotAFile()
        case 'too large':
          throw mailTooLarge(opened.size, MAX_MAIL_BYTES)
        case 'unreadable':
          throw mailUnreadable(opened.reason)
        case 'folder':
          throw folderFailed(folder.path, opened.reason)
        default:
          return null
      }
    },
    async putAway(name) {
      const moved = await thread
        .run({ what: 'move', path: folder.incomingPath(name), to: folder.handledPath(name) })
        .catch((error: unknown) => Promise.reject(folderFailed(folder.path, error))) // the thread broke: its change is stored
      // Gone from `new`: somebody else moved it. Gone from the maildir: the next scan says so.
      if (moved.what === 'not moved' && moved.code !== 'ENOENT') throw folderFailed(folder.path, moved.reason)
    },
  }
}
