import { type ChangeInput, type HttpRequest, isJson, type Json } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { isHmac, isSame } from '../signature.ts'
import type { Forge } from './forge.ts'
import { contentType, list, optional, PayloadError, parse, pick } from './payload.ts'

/** What programs of our users post: the fields of `sendchange`, as JSON or as a form. */
export const plain: Forge = {
  title: 'your program',
  isSigned({ headers, body }, secret) {
    const bearer = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1]
    return bearer === undefined
      ? isHmac(headers['x-boltbot-signature'], secret, body, 'sha256=')
      : isSame(bearer.trim(), secret)
  },
  identity({ headers }, news) {
    if (news.kind === 'changes' && news.id !== null) return `id:${news.id}`
    // Two posts of one text may be two changes; but who signs each may not have it sent by others.
    return headers['x-boltbot-signature'] === undefined ? null : 'body'
  },
  read(request) {
    const type = contentType(request)
    const isForm = type === 'application/x-www-form-urlencoded'
    if (!isForm && type !== 'application/json')
      throw new PayloadError(
        `The content type is "${type}"; it must be application/json or application/x-www-form-urlencoded.`,
        415,
      )
    const { id = null, changes, ...one } = pick(POST, isForm ? formOf(request) : parse(request.text()), 'change')
    const given = changes ?? [pick(CHANGE, one, 'change')]
    return {
      kind: 'changes',
      id,
      changes: given.map((fields, i) => changeOf(fields, id === null ? null : `${id} ${i}`)),
    }
  },
}

const CHANGES = 2000

const text = z.string()
/** Seconds that a date can hold. */
const seconds = z.number().refine((when) => Math.abs(when) < 8.64e12)

const CHANGE = z
  .object({
    who: optional(text),
    author: optional(text),
    comments: optional(text),
    files: list(text),
    branch: optional(text),
    revision: optional(text),
    repository: optional(text),
    project: optional(text),
    codebase: optional(text),
    category: optional(text),
    revlink: optional(text),
    key: optional(text.min(1)),
    links: list(text),
    when: optional(seconds),
    properties: optional(
      z.custom<Record<string, Json>>((value) => isObject(value) && isJson(value), 'it is no object'),
    ),
  })
  .refine(({ who, author }) => (who ?? author ?? '') !== '', { path: ['who'], message: 'it is missing' })

const POST = z.looseObject({
  id: optional(text.min(1).max(200)),
  changes: optional(z.array(CHANGE).min(1).max(CHANGES)),
})

function changeOf(
  { who, author, when, branch, revision, ...rest }: z.infer<typeof CHANGE>,
  key: string | null,
): ChangeInput {
  return {
    ...defined(rest),
    who: who ?? author ?? '',
    comments: rest.comments ?? '',
    files: rest.files,
    links: rest.links,
    branch: branch || null,
    revision: revision || null,
    ...(when !== undefined && { when: Math.round(when * 1000) }),
    // What has no revision is known by the post it came with.
    ...(!revision && !rest.key && key !== null && { key: `post ${key}` }),
  }
}

const LISTS = ['files', 'links']

/** A form as the JSON would be. */
function formOf(request: HttpRequest): Record<string, unknown> {
  const form = request.form()
  const fields: Record<string, unknown> = Object.fromEntries(form)
  for (const name of LISTS) if (form.has(name)) fields[name] = listOf(name, form.getAll(name))
  for (const name of ['properties', 'changes'])
    if (form.has(name)) fields[name] = parse(form.get(name)!, `The field "${name}"`)
  if (form.has('when')) fields.when = Number(form.get('when') || Number.NaN)
  return fields
}

/** Once for each, or once as a JSON list; none, when it is once and empty. */
function listOf(name: string, values: readonly string[]): unknown {
  const [first = '', ...others] = values
  if (others.length > 0) return values
  if (first.startsWith('[')) return parse(first, `The field "${name}"`)
  return first === '' ? [] : [first]
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T> // the same without some
