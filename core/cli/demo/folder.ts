import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { folderTaken, folderUnusable } from './errors.ts'

/** Where a demo lives. */
export interface DemoFolder {
  readonly path: string
  /** The demo made it in the temporary folder of the machine. */
  readonly isTemporary: boolean
  /** Takes it away again if it is temporary. */
  remove(): void
}

/** @throws CiError `BOLT_DEMO_FOLDER`, `BOLT_DEMO_FOLDER_UNUSABLE`. */
export function makeDemoFolder(named: string | undefined): DemoFolder {
  const path = named === undefined ? join(tmpdir(), 'boltbot-demo-') : resolve(named)
  try {
    if (named === undefined) {
      const made = mkdtempSync(path)
      return {
        path: made,
        isTemporary: true,
        remove: () => rmSync(made, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
      }
    }
    if (!existsSync(path)) mkdirSync(path)
    if (readdirSync(path).length === 0) return { path, isTemporary: false, remove: () => {} }
  } catch (error) {
    throw folderUnusable(path, error)
  }
  throw folderTaken(path)
}
