import { messageOf, type Schema, type SchemaIssue } from 'boltbot/plugin-sdk'
import type { KeyPath } from './positions.ts'
import type { Report, Subject } from './report.ts'
import { isRecord, isSecretKey, show, unknownKey } from './rules.ts'

/** Options after their schema, or `undefined` when it found problems. Any Standard Schema; zod tells more about unknown keys. */
export function checkSchema(
  report: Report,
  subject: Subject,
  schema: Schema<never, unknown> | undefined,
  options: object,
): object | undefined {
  if (schema === undefined) return options
  const validate = schema?.['~standard']?.validate
  if (typeof validate !== 'function') {
    report(subject, [], 'Its schema is not a Standard Schema. Use zod, valibot or another library that makes them.')
    return undefined
  }
  let result: ReturnType<typeof validate>
  try {
    result = validate(options)
  } catch (error) {
    report(subject, [], `Its schema failed on these options: ${sentence(messageOf(error))}`)
    return undefined
  }
  if (result instanceof Promise) {
    result.catch(() => {}) // its answer would come too late, whatever it is
    report(
      subject,
      [],
      'Its schema is asynchronous. Options are checked while the config is read: use a synchronous one.',
    )
    return undefined
  }
  if (result.issues === undefined) return isRecord(result.value) ? result.value : options
  for (const issue of result.issues) tellIssue(report, subject, schema, options, issue)
  return undefined
}

/** What zod adds to an issue. */
interface MoreOfIssue extends SchemaIssue {
  readonly code?: string
  readonly keys?: readonly string[]
}

function tellIssue(report: Report, subject: Subject, schema: unknown, options: object, issue: MoreOfIssue): void {
  const path: KeyPath = (issue.path ?? []).map((part) => {
    const key = typeof part === 'object' ? part.key : part
    return typeof key === 'symbol' ? String(key) : key
  })
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    const known = knownKeys(schema, path)
    for (const key of issue.keys) {
      const message = known ? unknownKey(key, known) : `"${key}" is not a key here. Look at its name again.`
      report(subject, [...path, key], message)
    }
    return
  }
  const key = path.at(-1)
  if (key === undefined) {
    report(subject, path, sentence(issue.message))
    return
  }
  const value = path.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], options)
  const shown = value !== undefined && isSecretKey(String(key)) ? 'not right' : show(value)
  report(subject, path, `"${key}" is ${shown}. ${sentence(issue.message)}`)
}

/** The keys a zod object knows at a path; `undefined` for other libraries and for what is not an object there. */
function knownKeys(schema: unknown, path: KeyPath): readonly string[] | undefined {
  let at = unwrap(schema)
  for (const key of path) {
    const next = typeof key === 'number' ? field(at, 'element') : field(field(at, 'shape'), key)
    at = unwrap(next)
  }
  const shape = field(at, 'shape')
  return isRecord(shape) ? Object.keys(shape) : undefined
}

/** Through optional, default, pipe and the like. */
function unwrap(schema: unknown): unknown {
  let at = schema
  for (let depth = 0; depth < 16; depth++) {
    const inner = field(field(at, 'def'), 'innerType') ?? field(field(at, 'def'), 'in')
    if (inner === undefined) return at
    at = inner
  }
  return at
}

const field = (value: unknown, key: string): unknown => (value as Record<string, unknown> | null | undefined)?.[key]

const sentence = (words: string) => (/[.!?]$/.test(words) ? words : `${words}.`)
