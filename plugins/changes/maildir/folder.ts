import { createHash } from 'node:crypto'
import fs, { constants } from 'node:fs'
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deliveryTime } from './delivery-order.ts'
import { folderFailed, maildirMissing, mailNotAFile, mailTooLarge, mailUnreadable, notAMaildir } from './errors.ts'

/**
 * A maildir on the disk. File names come from strangers and may be any bytes: they are kept as text with one character a byte
 * (latin1), which gives the same bytes back.
 */
export interface Folder {
  /** The path of `new`. */
  readonly incoming: string
  /** @throws CiError `BOLT_MAILDIR_MISSING`, `BOLT_MAILDIR_LAYOUT`. */
  check(): Promise<void>
  /** Tells one `new` from another one that took its place. @throws as `check`. */
  identity(): Promise<string>
  /** Names in `new`, in no order. @throws CiError `BOLT_MAILDIR_FOLDER`. */
  list(): Promise<readonly string[]>
  /** `null` when it is gone. @throws CiError when it is no mail or too large; `BOLT_MAILDIR_FOLDER` when it may be read later. */
  read(name: string): Promise<RawMail | null>
  /** To `cur`. A mail that is gone is fine. @throws CiError `BOLT_MAILDIR_FOLDER`. */
  putAway(name: string): Promise<void>
  /** To `failed`, with the reason beside it. @throws CiError `BOLT_MAILDIR_FOLDER`. */
  fail(name: string, reason: string): Promise<void>
}

export interface RawMail {
  readonly bytes: Buffer
  /** When it was delivered, ms. */
  readonly received: number
}

// A third of the cost of a `FileHandle`, which is most of the cost of a small mail.
const [open, read, fstat, close] = [promisify(fs.open), promisify(fs.read), promisify(fs.fstat), promisify(fs.close)]

export const MAX_MAIL_BYTES = 10 << 20

export function createFolder(path: string): Folder {
  const incoming = join(path, 'new')
  const place = (folder: string, name: string) =>
    Buffer.concat([Buffer.from(`${join(path, folder)}/`), Buffer.from(name, 'latin1')])

  async function check(): Promise<void> {
    await stat(path).catch((error: unknown) => Promise.reject(maildirMissing(path, error)))
    const found = await Promise.all(PARTS.map((part) => stat(join(path, part)).catch(() => undefined)))
    const missing = PARTS.filter((_, index) => found[index]?.isDirectory() !== true)
    if (missing.length > 0) throw notAMaildir(path, missing)
  }
  async function move(name: string, folder: string, as: string): Promise<void> {
    try {
      await rename(place('new', name), place(folder, as))
    } catch (error) {
      // Gone from `new`: somebody else moved it. Gone from the maildir: the next scan says so.
      if (codeOf(error) !== 'ENOENT') throw folderFailed(path, error)
    }
  }

  return {
    incoming,
    check,
    async identity() {
      await check()
      const { dev, ino } = await stat(incoming, { bigint: true }).catch((error: unknown) =>
        Promise.reject(maildirMissing(path, error)),
      )
      return `${dev}:${ino}`
    },
    async list() {
      try {
        const names = await readdir(incoming, { encoding: 'buffer' })
        // A name that begins with a dot is no mail yet, or none at all.
        return names.map((name) => name.toString('latin1')).filter((name) => !name.startsWith('.'))
      } catch (error) {
        throw folderFailed(path, error)
      }
    },
    async read(name) {
      let file: number
      try {
        // Without a wait for a pipe's other end, and never out of the maildir.
        file = await open(place('new', name), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
      } catch (error) {
        const code = codeOf(error)
        if (code === 'ENOENT') return null
        if (code === 'ELOOP' || code === 'ENXIO') throw mailNotAFile()
        throw code === 'EACCES' || code === 'EPERM' ? mailUnreadable(error) : folderFailed(path, error)
      }
      try {
        // Most are read whole by this; what is no plain file gives nothing, or an error.
        const begin = Buffer.allocUnsafeSlow(FIRST_READ_BYTES)
        const { bytesRead } = await read(file, begin, 0, begin.length, 0)
        const known = deliveryTime(name)
        if (bytesRead > 0 && bytesRead < begin.length && known !== null)
          return { bytes: begin.subarray(0, bytesRead), received: known }
        const facts = await fstat(file)
        if (!facts.isFile()) throw mailNotAFile()
        if (facts.size > MAX_MAIL_BYTES) throw mailTooLarge(facts.size, MAX_MAIL_BYTES)
        return { bytes: await readWhole(file, facts.size), received: known ?? facts.mtimeMs }
      } catch (error) {
        const code = codeOf(error)
        if (code === 'EISDIR' || code === 'EAGAIN') throw mailNotAFile()
        throw code?.startsWith('BOLT_') ? error : folderFailed(path, error)
      } finally {
        await close(file)
      }
    },
    putAway: (name) => move(name, 'cur', withFlags(name)),
    async fail(name, reason) {
      const as = short(name)
      try {
        await mkdir(join(path, 'failed'), { recursive: true })
        // Before the mail: a reason without a mail is written again, a mail without a reason tells nothing.
        await writeFile(place('failed', `.${as}.part`), `${reason}\n`)
        await rename(place('failed', `.${as}.part`), place('failed', `${as}.reason`))
      } catch (error) {
        throw folderFailed(path, error)
      }
      await move(name, 'failed', as)
    },
  }
}

const FIRST_READ_BYTES = 16 << 10
const PARTS = ['new', 'cur', 'tmp'] as const
/** File systems allow 255; room for `:2,` and `.reason`. */
const MAX_NAME_BYTES = 230

async function readWhole(file: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size)
  let length = 0
  while (length < size) {
    const { bytesRead } = await read(file, bytes, length, size - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** The name in `cur`: its flags stay, and one without gets the empty list of flags. */
function withFlags(name: string): string {
  const kept = short(name)
  return kept.includes(':2,') ? kept : `${kept}:2,`
}

function short(name: string): string {
  if (name.length <= MAX_NAME_BYTES) return name
  return `${name.slice(0, 150)}-${createHash('sha256').update(name, 'latin1').digest('hex')}`
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code // whatever was thrown may be asked
}
