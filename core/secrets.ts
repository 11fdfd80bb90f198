import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Secrets } from 'boltbot/plugin-sdk'
import { secretBadName, secretEmpty, secretTooOpen, secretUnknown, secretUnreadable } from './config/errors.ts'
import type { Redactor } from './redact.ts'

export interface SecretsDeps {
  /** One file per secret, for its owner's eyes only. */
  readonly directory: string
  /** Asked next: `BOLTBOT_SECRET_<NAME>`, in capitals, with `_` for other characters. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  /** False where files have no modes. */
  readonly checkModes: boolean
}

/** Secrets by name; read anew each time, so that a changed file counts at the next use. Each value is hidden from then on. */
export function createSecrets({ directory, environment, redactor, checkModes }: SecretsDeps): Secrets {
  return {
    resolve(value) {
      if (typeof value === 'string') return value
      const { name } = value
      if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw secretBadName(name)
      const file = join(directory, name)
      const variable = `BOLTBOT_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`
      const fromFile = readSecret(name, file, checkModes)
      const found = fromFile ?? environment[variable]
      if (found === undefined) throw secretUnknown(name, file, variable)
      if (found === '') throw secretEmpty(name, fromFile === undefined ? variable : file)
      redactor.add(found)
      return found
    },
  }
}

/** A secret's file without its last line end; `undefined` when there is none. */
function readSecret(name: string, file: string, checkModes: boolean): string | undefined {
  try {
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat === undefined) return undefined
    if (checkModes && (stat.mode & 0o077) !== 0) throw secretTooOpen(name, file, (stat.mode & 0o777).toString(8))
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    if (error instanceof Error && 'errno' in error) throw secretUnreadable(name, file, error)
    throw error
  }
}
