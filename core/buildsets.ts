import { type BuildsetInput, durationMs, isJson, type SourceStamp } from 'boltbot/plugin-sdk'
import type { BuilderSpec } from './config/model.ts'
import { noBuilders, propertyInvalid, unknownBuilder } from './errors.ts'
import { mergeKey } from './queue.ts'
import { type CreatedBuildset, createBuildset, type NewBuildset } from './store/buildsets.ts'
import type { Store } from './store/store.ts'

/** Stage 4 of the walk: one source stamp times several builders, stored with a request per builder in one transaction. */
export interface Buildsets {
  /** Checks and completes what somebody asks for. @throws CiError for an unknown builder or a property that is not JSON. */
  prepare(input: BuildsetInput): NewBuildset
  /** Prepares and stores. */
  submit(input: BuildsetInput): Promise<CreatedBuildset>
}

export interface BuildsetsDeps {
  readonly store: Store
  /** All that somebody may ask for, by name. */
  readonly builders: () => ReadonlyMap<string, BuilderSpec>
}

export function createBuildsets(deps: BuildsetsDeps): Buildsets {
  const prepare = (input: BuildsetInput): NewBuildset => {
    const builders = deps.builders()
    const names = [...new Set(input.builders)]
    if (names.length === 0) throw noBuilders(input.reason)
    for (const name of names) if (!builders.has(name)) throw unknownBuilder(name, builders.keys())
    const properties = input.properties ?? {}
    for (const [name, value] of Object.entries(properties)) if (!isJson(value)) throw propertyInvalid(name)
    const sourceStamp = { ...EMPTY_STAMP, ...input.sourceStamp }
    const owner = input.owner ?? null
    const key = input.merge === false ? null : mergeKey({ sourceStamp, properties, owner })
    return {
      builders: names.map((name) => ({ name, mergeKey: key })),
      sourceStamp,
      reason: input.reason,
      properties,
      priority: input.priority ?? 0,
      scheduler: input.scheduler ?? null,
      owner,
      key: input.key ?? null,
      externalId: input.externalId ?? null,
      stableMs: input.treeStableTimer === undefined ? null : durationMs(input.treeStableTimer)!,
    }
  }
  return { prepare, submit: async (input) => createBuildset(deps.store, prepare(input)) }
}

const EMPTY_STAMP: SourceStamp = Object.freeze({
  branch: null,
  revision: null,
  repository: '',
  project: '',
  codebase: '',
  patch: null,
  changes: [],
})
