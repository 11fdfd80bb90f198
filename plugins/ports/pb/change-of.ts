import type { ChangeInput, Json } from 'boltbot/plugin-sdk'
import { dictionaryOrNone, plainOf, textOf, textOrNull, textsOf } from '../../../wire/pb/plain.ts'
import type { Dictionary, Value } from '../../../wire/pb/values.ts'

/**
 * A change from what `addChange` was given: fields of all versions of `sendchange`, and of hooks that people wrote. Fields of other
 * names are passed over; missing ones have their defaults.
 */
export function changeOf(given: Dictionary, prefix: string): ChangeInput {
  const text = (...names: string[]) => names.map((name) => textOf(given.get(name))).find((found) => found)
  const when = given.get('when_timestamp') ?? given.get('when')
  return {
    who: text('who', 'author') ?? 'unknown',
    files: textsOf(given.get('files')).flatMap((file) => (file.startsWith(prefix) ? file.slice(prefix.length) : [])),
    comments: text('comments') ?? '',
    branch: textOrNull(given.get('branch')) || null,
    revision: textOrNull(given.get('revision')) || null,
    repository: text('repository') ?? '',
    project: text('project') ?? '',
    codebase: text('codebase') ?? '',
    category: text('category') ?? null,
    revlink: text('revlink') ?? null,
    ...(text('key') !== undefined && { key: text('key')! }),
    properties: propertiesOf(given.get('properties')),
    ...(isTime(when) && { when: Math.round(when * 1000) }),
  }
}

/** Seconds that a date can hold. */
const isTime = (when: Value | undefined): when is number =>
  typeof when === 'number' && Number.isFinite(when) && Math.abs(when) < 8.64e12

/** Those that are JSON; old servers give each as a pair of value and source. */
function propertiesOf(given: Value | undefined): Record<string, Json> {
  const properties = [...dictionaryOrNone(given)].flatMap(([name, value]) => {
    const plain = plainOf(value)
    return typeof name !== 'string' || plain === undefined ? [] : [[name, plain as Json] as const]
  })
  return Object.fromEntries(properties)
}
