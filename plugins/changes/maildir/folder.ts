import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { folderFailed, maildirMissing, notAMaildir } from './errors.ts'

/**
 * A maildir on the disk. File names come from strangers and may be any bytes: they are kept as text with one character a byte
 * (latin1), which gives the same bytes back.
 */
export interface Folder {
  readonly path: string
  /** The path of `new`. */
  readonly incoming: string
  /** @throws CiError `BOLT_MAILDIR_MISSING`, `BOLT_MAILDIR_LAYOUT`. */
  check(): Promise<void>
  /** Tells one `new` from another one that took its place. @throws as `check`. */
  identity(): Promise<string>
  /** Names in `new`, in no order. @throws CiError `BOLT_MAILDIR_FOLDER`. */
  list(): Promise<readonly string[]>
  /** The path of a mail in `new`, one character a byte. */
  incomingPath(name: string): string
  /** The path it has when it is handled, in `cur`. */
  handledPath(name: string): string
  /** To `failed`, with the reason beside it. @throws CiError `BOLT_MAILDIR_FOLDER`. */
  fail(name: string, reason: string): Promise<void>
}

export function createFolder(path: string): Folder {
  const incoming = join(path, 'new')
  const [newMails, handled, failed] = ['new', 'cur', 'failed'].map((folder) =>
    Buffer.from(`${join(path, folder)}/`).toString('latin1'),
  )
  const bytes = (place: string) => Buffer.from(place, 'latin1')

  async function check(): Promise<void> {
    await stat(path).catch((error: unknown) => Promise.reject(maildirMissing(path, error)))
    const found = await Promise.all(PARTS.map((part) => stat(join(path, part)).catch(() => undefined)))
    const missing = PARTS.filter((_, index) => found[index]?.isDirectory() !== true)
    if (missing.length > 0) throw notAMaildir(path, missing)
  }
  return {
    path,
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
    incomingPath: (name) => `${newMails}${name}`,
    handledPath: (name) => `${handled}${withFlags(name)}`,
    async fail(name, reason) {
      const as = short(name)
      try {
        await mkdir(join(path, 'failed'), { recursive: true })
        // Before the mail: a reason without a mail is written again, a mail without a reason tells nothing.
        await writeFile(bytes(`${failed}.${as}.part`), `${reason}\n`)
        await rename(bytes(`${failed}.${as}.part`), bytes(`${failed}${as}.reason`))
        await rename(bytes(`${newMails}${name}`), bytes(`${failed}${as}`)).catch((error) => {
          if (codeOf(error) !== 'ENOENT') throw error // gone: somebody else moved it
        })
      } catch (error) {
        throw folderFailed(path, error)
      }
    },
  }
}

const PARTS = ['new', 'cur', 'tmp'] as const
/** File systems allow 255; room for `:2,` and `.reason`. */
const MAX_NAME_BYTES = 230

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
