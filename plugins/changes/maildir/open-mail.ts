import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { messageOf } from 'boltbot/plugin-sdk'
import { type DecodedMail, decodeMail } from './decode-mail.ts'

/** What became of a look into a file, as plain data. */
export type Opened =
  | { readonly what: 'mail'; readonly mail: DecodedMail; readonly modified: number; readonly digest: string }
  | { readonly what: 'gone' | 'no file' }
  | { readonly what: 'too large'; readonly size: number }
  /** The mail's own fault, or the folder's: then it may be read later. */
  | { readonly what: 'unreadable' | 'folder'; readonly reason: string }

export const MAX_MAIL_BYTES = 10 << 20

/** Reads and decodes a file. It waits for the disk: only for a thread of its own. */
export async function openMail(path: Buffer): Promise<Opened> {
  const file = readFile(path)
  if (!('bytes' in file)) return file
  try {
    const mail = await decodeMail(file.bytes)
    return { what: 'mail', mail, modified: file.modified, digest: digestOf(file.bytes, mail.messageId !== null) }
  } catch (error) {
    return { what: 'unreadable', reason: messageOf(error) }
  }
}

function readFile(
  path: Buffer,
): { readonly bytes: Buffer; readonly modified: number } | Exclude<Opened, { what: 'mail' }> {
  let file: number | undefined
  try {
    // Without a wait for a pipe's other end, and never out of the maildir.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const facts = fstatSync(file)
    if (!facts.isFile()) return { what: 'no file' }
    if (facts.size > MAX_MAIL_BYTES) return { what: 'too large', size: facts.size }
    const bytes = Buffer.allocUnsafe(facts.size)
    let length = 0
    while (length < facts.size) {
      const count = readSync(file, bytes, length, facts.size - length, length)
      if (count === 0) break
      length += count
    }
    return { bytes: bytes.subarray(0, length), modified: facts.mtimeMs }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code // only the file system throws here
    if (code === 'ENOENT') return { what: 'gone' }
    if (code === 'ELOOP' || code === 'ENXIO') return { what: 'no file' }
    return { what: code === 'EACCES' || code === 'EPERM' ? 'unreadable' : 'folder', reason: messageOf(error) }
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Of the body alone where the Message-ID says the rest: a list and its owner may both deliver a mail, with other headers. */
function digestOf(bytes: Buffer, bodyOnly: boolean): string {
  const ends = [bytes.indexOf('\n\n'), bytes.indexOf('\r\n\r\n')].filter((at) => at !== -1)
  const from = bodyOnly && ends.length > 0 ? Math.min(...ends) : 0
  return createHash('sha256').update(bytes.subarray(from)).digest('hex')
}
