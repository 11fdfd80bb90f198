import { isJson, type Json, patchOf } from 'boltbot/plugin-sdk'
import { jobMalformed } from './errors.ts'
import type { TryJob } from './job.ts'

/**
 * A job file, as `buildbot tryserver` writes it: netstrings, of which the first is the version. Versions 1 to 4 list their fields, 5
 * and 6 are one JSON object; 6 has the patch in base64. @throws CiError `BOLT_TRY_JOB`.
 */
export function parseJobFile(bytes: Uint8Array): TryJob {
  const [version, ...fields] = netstrings(bytes)
  const name = version === undefined ? '' : textOf(version)
  const keys = FIELDS[name]
  if (keys !== undefined) return fromFields(keys, fields)
  if (name !== '5' && name !== '6') throw jobMalformed(`its version is "${name.slice(0, 20)}"`)
  if (fields.length !== 1) throw jobMalformed(`${fields.length} fields follow the version, not one`)
  return fromJson(textOf(fields[0]!))
}

const FIRST = ['jobid', 'branch', 'baserev', 'patch_level', 'patch_body'] as const
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  1: FIRST,
  2: [...FIRST, 'repository', 'project'],
  3: [...FIRST, 'repository', 'project', 'who'],
  4: [...FIRST, 'repository', 'project', 'who', 'comment'],
}

function netstrings(bytes: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const colon = bytes.indexOf(0x3a, at)
    const digits = colon === -1 || colon - at > 10 ? '' : textOf(bytes.subarray(at, colon))
    if (!/^\d+$/.test(digits)) throw jobMalformed(`at byte ${at} there is no length of a netstring`)
    const end = colon + 1 + Number(digits)
    if (bytes[end] !== 0x2c) throw jobMalformed(`the netstring at byte ${at} does not end where its length says`)
    found.push(bytes.subarray(colon + 1, end))
    at = end + 1
  }
  return found
}

function fromFields(keys: readonly string[], fields: readonly Uint8Array[]): TryJob {
  if (fields.length < keys.length) throw jobMalformed(`it has ${fields.length} of ${keys.length} fields`)
  const get = (key: string) => {
    const at = keys.indexOf(key)
    return at === -1 ? '' : textOf(fields[at]!)
  }
  return {
    id: orNull(get('jobid')),
    branch: orNull(get('branch')),
    revision: orNull(get('baserev')),
    patch: toPatch(get('patch_level'), fields[keys.indexOf('patch_body')]!),
    repository: get('repository'),
    project: get('project'),
    who: orNull(get('who')),
    comment: orNull(get('comment')),
    builders: fields.slice(keys.length).map(textOf),
    properties: {},
  }
}

function fromJson(text: string): TryJob {
  let job: unknown
  try {
    job = JSON.parse(text)
  } catch {
    throw jobMalformed('what follows the version is not JSON')
  }
  if (typeof job !== 'object' || job === null || Array.isArray(job)) throw jobMalformed('its JSON is no object')
  const given = job as Readonly<Record<string, unknown>> // any object may be asked
  const word = (key: string): string => {
    const value = given[key] ?? ''
    if (typeof value !== 'string') throw jobMalformed(`"${key}" is not text`)
    return value
  }
  const { patch_level: level = 1, builderNames = [], properties = {} } = given
  if (!Array.isArray(builderNames) || !builderNames.every((name) => typeof name === 'string'))
    throw jobMalformed('"builderNames" is not a list of names')
  if (!isJson(properties) || typeof properties !== 'object' || properties === null || Array.isArray(properties))
    throw jobMalformed('"properties" is not an object')
  const inBase64 = word('patch_body_base64')
  const body = inBase64 === '' ? Buffer.from(word('patch_body')) : Buffer.from(inBase64, 'base64')
  return {
    id: orNull(word('jobid')),
    branch: orNull(word('branch')),
    revision: orNull(word('baserev')),
    patch: toPatch(String(level), body),
    repository: word('repository'),
    project: word('project'),
    who: orNull(word('who')),
    comment: orNull(word('comment')),
    builders: builderNames as readonly string[],
    properties: properties as Readonly<Record<string, Json>>,
  }
}

/** A clean tree has no patch. */
function toPatch(level: string, bytes: Uint8Array): TryJob['patch'] {
  if (bytes.length === 0) return null
  if (!/^\d{1,3}$/.test(level)) throw jobMalformed(`the level of the patch is "${level.slice(0, 20)}"`)
  return patchOf({ level: Number(level), subdir: '', bytes })
}

/** The client writes Python's `None` for what it does not know. */
const orNull = (text: string) => (text === '' || text === 'None' ? null : text)

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
