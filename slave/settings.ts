import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { Problem, reasonOf } from './problem.ts'

/** `slave.json` of a base directory, checked and completed. */
export interface SlaveSettings {
  /** `ws://host:port`, `wss://host:port` or `ws+unix:///path/of/socket:/`. */
  readonly url: string
  readonly name: string
  /** What the master is: one of ours, or a Buildbot that speaks msgpack. */
  readonly protocol: 'boltbot' | 'buildbot'
  readonly passwordFile: string
  /** PEM file of the authorities that may vouch for a `wss:` master. */
  readonly caFile: string | undefined
  readonly umask: number | undefined
  /** Milliseconds; 0: none. */
  readonly keepalive: number
  /** Milliseconds. */
  readonly maxdelay: number
  readonly usePty: boolean
  /** Milliseconds without a master after which an idle agent exits; `undefined`: it stays for ever. */
  readonly orphanAfter: number | undefined
}

const SETTINGS_FILE = 'slave.json'

/** @throws Problem that names the file and what is wrong in it. */
export async function readSettings(basedir: string): Promise<SlaveSettings> {
  const path = join(basedir, SETTINGS_FILE)
  let given: unknown
  try {
    given = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Problem(`"${path}" cannot be read: ${reasonOf(error)}.`)
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Problem(`"${path}" holds no object.`)
  const { field, needed } = reader(path, given as Record<string, unknown>) // it is an object, its fields are checked one by one
  const file = (value: string) => (isAbsolute(value) ? value : join(basedir, value))
  const ca = field('ca', isText, undefined, 'the path of a PEM file')
  const seconds = 'a number of seconds'
  return {
    url: needed('url', isUrl, 'a URL such as "ws://host:9990" or "wss://host:9990"'),
    protocol: field('protocol', isProtocol, 'boltbot', '"boltbot" or "buildbot"'),
    name: needed('name', isText, 'the name of this slave'),
    passwordFile: file(field('passwordFile', isText, 'password', 'the path of a file')),
    caFile: ca === undefined ? undefined : file(ca),
    umask: umaskOf(field('umask', isUmask, undefined, 'an octal number in quotes, such as "022"')),
    keepalive: field('keepalive', isAmount, 60, seconds) * 1000,
    maxdelay: field('maxdelay', isAmount, 300, seconds) * 1000,
    usePty: field('usepty', isFlag, false, 'true or false'),
    orphanAfter: inMs(field('orphanAfter', isAmount, undefined, seconds)),
  }
}

function reader(path: string, given: Record<string, unknown>) {
  const fieldOf = (name: string): unknown => (Object.hasOwn(given, name) ? (given[name] ?? undefined) : undefined)
  const needed = <T>(name: string, is: (value: unknown) => value is T, wanted: string): T => {
    const value = fieldOf(name)
    if (is(value)) return value
    const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`
    throw new Problem(`In "${path}" the field "${name}" ${found}: it must be ${wanted}.`)
  }
  const field = <T, D>(name: string, is: (value: unknown) => value is T, byDefault: D, wanted: string): T | D =>
    fieldOf(name) === undefined ? byDefault : needed(name, is, wanted)
  return { field, needed }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isProtocol = (value: unknown): value is 'boltbot' | 'buildbot' => value === 'boltbot' || value === 'buildbot'
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
const isAmount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isUmask = (value: unknown): value is string | number =>
  (typeof value === 'string' && /^(0o?)?[0-7]{1,4}$/.test(value)) ||
  (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0o7777)
const isUrl = (value: unknown): value is string =>
  typeof value === 'string' && /^(wss?|ws\+unix):/.test(value) && URL.canParse(value)

function umaskOf(value: string | number | undefined): number | undefined {
  return typeof value === 'string' ? Number.parseInt(value.replace('o', ''), 8) : value
}

const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000)
