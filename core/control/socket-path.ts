import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { controlPathTooLong } from './errors.ts'

export interface SocketPlace {
  readonly basedir: string
  readonly platform: string
  /** A folder with a short path, for base directories whose own is too long: `XDG_RUNTIME_DIR` or the system's temporary one. */
  readonly runtimeDir: string
}

/** The system's limit is 108 bytes with a zero at the end on Linux, 104 on macOS. */
const MAX_PATH = 103

/** Makes the place to listen at; a client finds it by {@link findSocketPath}. */
export function makeSocketPath({ basedir, platform, runtimeDir }: SocketPlace): string {
  const own = ownPath(basedir, platform)
  if (platform === 'win32' || Buffer.byteLength(own) <= MAX_PATH) return own
  removeSocketPath(basedir, platform)
  const folder = mkdtempSync(join(runtimeDir, 'boltbot-')) // mode 0700
  const path = join(folder, 'control.sock')
  if (Buffer.byteLength(path) > MAX_PATH) {
    rmSync(folder, { recursive: true, force: true })
    throw controlPathTooLong(path)
  }
  writeFileSync(pointerFile(basedir), `${path}\n`, { mode: 0o600 })
  return path
}

/** Where the master of a base directory listens, if one runs. */
export function findSocketPath(basedir: string, platform: string): string {
  return readPointer(basedir) ?? ownPath(basedir, platform)
}

/** Takes away what {@link makeSocketPath} made, socket included. */
export function removeSocketPath(basedir: string, platform: string): void {
  if (platform === 'win32') return // a named pipe goes with its process
  const elsewhere = readPointer(basedir)
  if (elsewhere === undefined) {
    rmSync(ownPath(basedir, platform), { force: true })
    return
  }
  // Only a folder of our own making is removed, whatever the file says.
  if (/^boltbot-\w+$/.test(dirname(elsewhere).replace(/^.*\//, ''))) {
    rmSync(elsewhere, { force: true })
    rmSync(dirname(elsewhere), { recursive: true, force: true })
  }
  rmSync(pointerFile(basedir), { force: true })
}

function ownPath(basedir: string, platform: string): string {
  if (platform !== 'win32') return join(resolve(basedir), 'control.sock')
  const key = createHash('sha256').update(realpathSync(basedir).toLowerCase()).digest('hex').slice(0, 32)
  return `\\\\.\\pipe\\boltbot-${key}`
}

const pointerFile = (basedir: string) => join(resolve(basedir), 'control.path')

function readPointer(basedir: string): string | undefined {
  try {
    return readFileSync(pointerFile(basedir), 'utf8').trim()
  } catch {
    return undefined // no pointer: the socket is in the base directory itself
  }
}
