import type { Change, Json } from 'boltbot/plugin-sdk'
import { z } from 'zod'

/** Which changes: every field that is given must fit. `author` is the `who` of the change. */
export interface ChangeFilter {
  readonly branch?: Matcher | undefined
  readonly project?: Matcher | undefined
  readonly repository?: Matcher | undefined
  readonly codebase?: Matcher | undefined
  readonly category?: Matcher | undefined
  readonly author?: Matcher | undefined
  /** By name. One that the change does not have is `null`; what is not text is looked at as JSON: `42`, `true`. */
  readonly properties?: Readonly<Record<string, Matcher>> | undefined
  readonly filterFn?: ((change: Change) => boolean) | undefined
}

/** Exactly this, one of these, a regular expression that fits somewhere in it, or a function that says so. */
export type Matcher = Exact | readonly Exact[] | RegExp | ((value: Exact) => boolean)
type Exact = string | null

const matcher = z.custom<Matcher>(
  (value) =>
    isExact(value) ||
    value instanceof RegExp ||
    typeof value === 'function' ||
    (Array.isArray(value) && value.every(isExact)),
  "Give a text, a list of texts, a regular expression or a function, as in 'main' or /^release-/.",
)

export const changeFilterSchema = z.strictObject({
  branch: matcher.optional(),
  project: matcher.optional(),
  repository: matcher.optional(),
  codebase: matcher.optional(),
  category: matcher.optional(),
  author: matcher.optional(),
  properties: z.record(z.string(), matcher, "Give an object such as { urgent: 'true' }.").optional(),
  filterFn: z
    .custom<(change: Change) => boolean>((value) => typeof value === 'function', 'Give a function of the change.')
    .optional(),
})

/** Whether a change passes. A throw of a function of the config is let through. */
export function passes(filter: ChangeFilter, change: Change): boolean {
  return (
    fits(filter.branch, change.branch) &&
    fits(filter.project, change.project) &&
    fits(filter.repository, change.repository) &&
    fits(filter.codebase, change.codebase) &&
    fits(filter.category, change.category) &&
    fits(filter.author, change.who) &&
    Object.entries(filter.properties ?? {}).every(([name, wanted]) => fits(wanted, textOf(change.properties[name]))) &&
    (filter.filterFn === undefined || filter.filterFn(change))
  )
}

function fits(matcher: Matcher | undefined, value: Exact): boolean {
  if (matcher === undefined) return true
  if (typeof matcher === 'function') return matcher(value)
  // `search` takes no notice of a position that a global expression remembers.
  if (matcher instanceof RegExp) return value !== null && value.search(matcher) !== -1
  return Array.isArray(matcher) ? matcher.includes(value) : matcher === value
}

const textOf = (value: Json | undefined): Exact =>
  value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value)

function isExact(value: unknown): value is Exact {
  return typeof value === 'string' || value === null
}
