import type { HttpRequest } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import type { Commit } from './forge.ts'

/** It is not what the forge sends: answered with its sentence. */
export class PayloadError extends Error {
  readonly status: 400 | 415
  constructor(message: string, status: 400 | 415 = 400) {
    super(message)
    this.status = status
  }
}

/** The JSON of a post; GitHub and Gitea can send it inside of a form as well. */
export function payloadOf(request: HttpRequest): unknown {
  const type = contentType(request)
  if (type === 'application/x-www-form-urlencoded') {
    const payload = request.form().get('payload')
    if (payload === null) throw new PayloadError('The form has no field "payload".')
    return parse(payload)
  }
  if (type !== '' && !/^application\/(?:[\w.-]+\+)?json$/.test(type))
    throw new PayloadError(`The content type is "${type}"; it must be application/json.`, 415)
  return parse(request.text())
}

export const contentType = ({ headers }: Pick<HttpRequest, 'headers'>) =>
  (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()

/** `what` begins the sentence. */
export function parse(text: string, what = 'The body'): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PayloadError(`${what} is not JSON.`)
  }
}

/** Takes the parts that are needed out of a payload. @throws PayloadError that names the first that is missing or odd. */
export function pick<T>(schema: z.ZodType<T>, payload: unknown, what: string): T {
  const picked = schema.safeParse(payload)
  if (picked.success) return picked.data
  const { path, message } = picked.error.issues[0]!
  const where = path.length === 0 ? 'The body' : `"${path.join('.')}"`
  throw new PayloadError(`This is no ${what}: ${where} is wrong (${message}).`)
}

/** Payloads of other versions have `null`, or nothing, where there is nothing. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined) as unknown as z.ZodType<
    z.output<T> | undefined,
    z.input<T> | null | undefined
  >
export const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []) as unknown as z.ZodType<z.output<T>[], z.input<T>[] | null | undefined>

export const person = z.object({ name: optional(z.string()), email: optional(z.string()) })

/** `Jane Doe <jane@example.org>`, as git pollers name people. */
export function whoOf(name: string | undefined, mail: string | undefined): string {
  // Angle brackets inside would make another address of it.
  const [shown, address] = [name, mail].map((text) => (text ?? '').replace(/[<>\p{Cc}]/gu, ' ').trim())
  if (!address) return shown || 'unknown'
  return shown ? `${shown} <${address}>` : address
}

/** In ms, from the ways forges write a time. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isFinite(time) ? time : undefined
}

/** Names of branches as pollers have them; `null`: it is neither a branch nor a tag. */
export function branchOf(ref: string): string | null {
  if (ref.startsWith('refs/heads/')) return ref.slice('refs/heads/'.length)
  return ref.startsWith('refs/tags/') ? ref : null
}

/** A commit of no branch: so forges say that there was or is nothing. */
export const realCommit = (revision: string) => (/^0+$/.test(revision) ? null : revision)

/** Some forges list the newest first, some the oldest; the head tells which. */
export function oldestFirst<T extends Pick<Commit, 'revision'>>(
  commits: readonly T[],
  head: string | null,
): readonly T[] {
  return commits.length > 1 && commits[0]!.revision === head ? commits.toReversed() : commits
}
