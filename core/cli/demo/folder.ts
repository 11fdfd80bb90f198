import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { folderTaken, folderUnusable } from './errors.ts'

/** Where a demo lives. */
export interface DemoFolder {
  readonly path: string
  /** Takes it away again, if the demo made it in the temporary folder of the machine. */
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
        remove: () => rmSync(made, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
      }
    }
    mkdirSync(path, { recursive: true })
    if (readdirSync(path).length === 0) return { path, remove: () => {} }
  } catch (error) {
    throw folderUnusable(path, error)
  }
  throw folderTaken(path)
}
