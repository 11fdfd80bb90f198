import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { hookSettingsWrong } from './errors.ts'

/** Where changes go and what they say, from `settings.json` beside the queue and from the command line, which wins. */
export interface HookSettings {
  /** `host:port` of a `pbChangeSource`. */
  readonly pb?: string | undefined
  readonly user?: string | undefined
  readonly passwd?: string | undefined
  readonly passwdFile?: string | undefined
  /** Of the plain door of a webhook. */
  readonly url?: string | undefined
  readonly secret?: string | undefined
  readonly secretFile?: string | undefined
  readonly repository?: string | undefined
  readonly project?: string | undefined
  readonly codebase?: string | undefined
  readonly category?: string | undefined
  /** The page of a revision; `%s` is the revision. */
  readonly revlink?: string | undefined
  readonly branches?: readonly string[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly branch?: string | undefined
  readonly layout?: 'plain' | 'branches' | 'projects' | undefined
  /** Seconds a hook takes at most. */
  readonly timeout?: number | undefined
}

const TEXTS = [
  ...['pb', 'user', 'passwd', 'passwdFile', 'url', 'secret', 'secretFile', 'repository', 'project', 'codebase'],
  ...['category', 'revlink', 'branch'],
]
const LISTS = ['branches', 'tags']
const LAYOUTS = ['plain', 'branches', 'projects']

/** @throws CiError `BOLT_CLI_HOOK_SETTINGS`. */
export function readSettings(folder: string, given: HookSettings): HookSettings {
  const file = join(folder, 'settings.json')
  const stored = existsSync(file) ? parse(file) : {}
  const settings = {
    ...stored,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
  if (given.pb !== undefined && given.url === undefined) return { ...settings, url: undefined }
  return given.url !== undefined && given.pb === undefined ? { ...settings, pb: undefined } : settings
}

/** The password of Perspective Broker, or the secret of a webhook. @throws CiError `BOLT_CLI_HOOK_SETTINGS`. */
export function secretOf(folder: string, settings: HookSettings, name: 'passwd' | 'secret'): string {
  const said = process.env.BOLTBOT_HOOK_SECRET ?? settings[name]
  if (said !== undefined) return said
  const file = settings[`${name}File`]
  const where = join(folder, 'settings.json')
  if (file === undefined) throw hookSettingsWrong(where, `there is no ${name} and no ${name}File`)
  try {
    return readFileSync(resolve(folder, file), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw hookSettingsWrong(resolve(folder, file), `it cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function parse(file: string): HookSettings {
  let found: unknown
  try {
    found = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw hookSettingsWrong(file, (error as Error).message)
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw hookSettingsWrong(file, 'it holds no JSON object')
  for (const [name, value] of Object.entries(found)) {
    const problem = problemOf(name, value)
    if (problem !== undefined) throw hookSettingsWrong(file, problem)
  }
  return found
}

function problemOf(name: string, value: unknown): string | undefined {
  if (TEXTS.includes(name)) return typeof value === 'string' ? undefined : `"${name}" is no text`
  if (LISTS.includes(name))
    return Array.isArray(value) && value.every((item) => typeof item === 'string')
      ? undefined
      : `"${name}" is no list of texts`
  if (name === 'layout')
    return LAYOUTS.includes(String(value)) ? undefined : `"layout" is none of ${LAYOUTS.join(', ')}`
  if (name === 'timeout')
    return typeof value === 'number' && value > 0 ? undefined : '"timeout" is no number of seconds'
  return `there is no setting "${name}"`
}
