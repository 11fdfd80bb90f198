import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CONFIG_NAMES } from '../config/names.ts'
import { badEnvironmentLine, basedirUnusable, fileUnreadable, notABasedir, notAMaster } from './errors.ts'

export type Kind = 'master' | 'slave'

/** A directory made by `boltbot master` or `boltbot slave`. */
export interface Basedir {
  readonly path: string
  readonly kind: Kind
  /** `master.cfg.ts` or `slave.json`, absolute. */
  readonly file: string
  readonly pidFile: string
  readonly logFile: string
}

/** @throws CiError `BOLT_CLI_BASEDIR`, `BOLT_CLI_UNUSABLE`. */
export function openBasedir(given: string): Basedir {
  const path = resolve(given)
  try {
    if (!statSync(path).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw basedirUnusable(path, 'used', error)
  }
  const found = [...CONFIG_NAMES, 'slave.json'].map((name) => join(path, name)).find((file) => existsSync(file))
  if (found === undefined) throw notABasedir(path)
  const kind = found.endsWith('.json') ? 'slave' : 'master'
  return { path, kind, file: found, pidFile: `${kind}.pid`, logFile: join(path, `${kind}.log`) }
}

/** The base directory of a master. @throws CiError `BOLT_CLI_BASEDIR`, `BOLT_CLI_UNUSABLE`, `BOLT_CLI_SLAVE`. */
export function openMasterBasedir(given: string): Basedir {
  const basedir = openBasedir(given)
  if (basedir.kind === 'slave') throw notAMaster(basedir.path)
  return basedir
}

/** Variables of the optional file `environment`: one `KEY=VALUE` a line, taken as they stand, quotes around a value dropped. */
export function readEnvironmentFile(basedir: string): Readonly<Record<string, string>> {
  const file = join(basedir, 'environment')
  if (!existsSync(file)) return {}
  const variables: Record<string, string> = {}
  readEnvironment(file)
    .split(/\r?\n/)
    .forEach((line, i) => {
      if (/^\s*(#|$)/.test(line)) return
      const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line)
      if (!match) throw badEnvironmentLine(file, i + 1, line.trim())
      const value = match[2]!.trim()
      variables[match[1]!] = /^(["']).*\1$/.test(value) && value.length > 1 ? value.slice(1, -1) : value
    })
  return variables
}

function readEnvironment(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw fileUnreadable(file, error)
  }
}
