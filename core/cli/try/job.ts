import { randomBytes } from 'node:crypto'
import { Tuple, type Value } from '../../../wire/pb/values.ts'
import type { TreeState } from './tree-reader.ts'

/** A change to be tried: how the tree differs, and what is to be done with it. */
export interface TryJob extends TreeState {
  readonly repository: string
  readonly project: string
  /** Empty: all. */
  readonly builders: readonly string[]
  readonly who: string | null
  readonly comment: string | null
  readonly properties: ReadonlyMap<string, string>
}

/** The nine arguments of the method `try`. */
export function tryArguments(job: TryJob): readonly Value[] {
  const { branch, revision, level, patch, repository, project, builders, who, comment, properties } = job
  const body = patch.length === 0 ? null : patch
  return [
    branch,
    revision,
    new Tuple([level, body]),
    repository,
    project,
    [...builders],
    who,
    comment,
    new Map(properties),
  ]
}

/** What a job is found by. */
export const newJobId = (): string => `${Date.now()}-${randomBytes(4).toString('hex')}`

/** The job as `tryserver` takes it: version 5, or 6 when the patch is no UTF-8. */
export function jobFile(job: TryJob, id: string): Uint8Array {
  const text = utf8(job.patch)
  const content = {
    jobid: id,
    branch: job.branch ?? '',
    baserev: job.revision ?? '',
    patch_level: job.level,
    ...(text === undefined ? { patch_body_base64: Buffer.from(job.patch).toString('base64') } : { patch_body: text }),
    repository: job.repository,
    project: job.project,
    who: job.who,
    comment: job.comment,
    builderNames: job.builders,
    properties: Object.fromEntries(job.properties),
  }
  // Plain ASCII, as some count its characters and some its bytes.
  const json = JSON.stringify(content).replace(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return Buffer.from(netstring(text === undefined ? '6' : '5') + netstring(json))
}

const netstring = (text: string) => `${text.length}:${text},`

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
