import { createHash } from 'node:crypto'
import type { LogKey } from '../log-store.ts'

/** Where the files of a log are, below the store's folder and without their endings. */
export function logPath({ build, step, log, epoch }: LogKey): string {
  return `${buildFolder(build)}/${step}.${epoch}.${safeName(log)}`
}

/** A thousand builds a folder, so that none grows too large to be listed. */
export function buildFolder(build: number): string {
  return `${Math.floor(build / 1000)}/${build}`
}

const LONGEST = 120

/** Authors name logs as they like: only what is a plain file name everywhere, also where case does not count, stays as it is. */
function safeName(log: string): string {
  const name = Array.from(Buffer.from(log), (byte) => {
    const letter = String.fromCharCode(byte)
    return /[a-z0-9_-]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, '0')}`
  }).join('')
  if (name.length <= LONGEST) return name
  return `${name.slice(0, LONGEST)}~${createHash('sha256').update(log).digest('hex').slice(0, 16)}`
}
