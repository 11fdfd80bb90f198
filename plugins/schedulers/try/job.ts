import type { BuildsetInput, Json, Patch } from 'boltbot/plugin-sdk'
import { z } from 'zod'
import { type BuildsetParts, buildsetOf, type CheckedCommon, type CommonOptions, commonShape } from '../options.ts'
import { tryBuilderNotOffered } from './errors.ts'

/** A change that is not committed yet, to be built: whichever way it came. */
export interface TryJob {
  /** What the client calls it; `null`: it has no need to. */
  readonly id: string | null
  readonly branch: string | null
  /** What the patch is against; `null`: the newest. */
  readonly revision: string | null
  readonly patch: Patch | null
  readonly repository: string
  readonly project: string
  readonly who: string | null
  readonly comment: string | null
  /** Empty: all that the scheduler offers. */
  readonly builders: readonly string[]
  readonly properties: Readonly<Record<string, Json>>
}

export interface TryOptions extends CommonOptions {
  /** Properties of its builds; those of a job win. */
  readonly properties?: CommonOptions['properties']
}

export const tryShape = { ...commonShape, reason: z.never('Its builds say who tries what: leave it out.').optional() }

export type CheckedTry = Omit<CheckedCommon, 'reason'>

/**
 * What a job asks for: always built alone, with the person as owner. `key` names the job: handed in twice it is built once.
 * @throws CiError `BOLT_TRY_BUILDER` when it names a builder that the scheduler does not offer.
 */
export function buildsetOfTry(options: CheckedTry, job: TryJob, key?: string): BuildsetInput {
  const { name, builders: offered, properties } = options
  for (const builder of job.builders) if (!offered.includes(builder)) throw tryBuilderNotOffered(builder, name, offered)
  const { priority }: BuildsetParts = buildsetOf(options)
  const { branch, revision, patch, repository, project, who, comment } = job
  return {
    builders: job.builders.length > 0 ? job.builders : offered,
    sourceStamp: { branch, revision, patch, repository, project },
    reason: reasonOf(who, comment),
    properties: { ...properties, ...job.properties },
    owner: who,
    scheduler: name,
    merge: false,
    ...(job.id !== null && { externalId: job.id }),
    ...(priority !== undefined && { priority }),
    ...(key !== undefined && { key: `try ${name} ${key}` }),
  }
}

/** `try by jane: a comment`. */
function reasonOf(who: string | null, comment: string | null): string {
  const line = comment?.replace(/\s+/g, ' ').trim() ?? ''
  return `try${who === null ? '' : ` by ${who}`}${line === '' ? '' : `: ${line.slice(0, 200)}`}`
}
