import type { PluginSpec } from '../config/model.ts'
import { compareOptions } from './live-options.ts'

/** What a new list of plugins means for those that run. */
export interface PluginDiff {
  /** Runs on as it is; only functions in its options may be new. */
  readonly kept: readonly PluginSpec[]
  /** Same plugin, other options. */
  readonly changed: readonly PluginChange[]
  readonly added: readonly PluginSpec[]
  readonly gone: readonly PluginSpec[]
}

export interface PluginChange {
  readonly before: PluginSpec
  readonly after: PluginSpec
  /** Why, for people: `option fromaddr changed`. */
  readonly why: string
  /** False: it must be started anew, options are not all that changed. */
  readonly optionsOnly: boolean
}

/** Compares by id; within an id by data, never by the identity of functions or definitions. */
export function diffPlugins(before: readonly PluginSpec[], after: readonly PluginSpec[]): PluginDiff {
  const old = new Map(before.map((spec) => [spec.id, spec]))
  const kept: PluginSpec[] = []
  const changed: PluginChange[] = []
  for (const spec of after) {
    const was = old.get(spec.id)
    if (!was) continue
    const change = compare(was, spec)
    if (change) changed.push(change)
    else kept.push(spec)
  }
  const ids = new Set(after.map((spec) => spec.id))
  return {
    kept,
    changed,
    added: after.filter((spec) => !old.has(spec.id)),
    gone: before.filter((spec) => !ids.has(spec.id)),
  }
}

function compare(before: PluginSpec, after: PluginSpec): PluginChange | undefined {
  const anew = (why: string) => ({ before, after, why, optionsOnly: false })
  if (before.definition.name !== after.definition.name || before.kind !== after.kind)
    return anew(`it was a ${before.definition.name} and is a ${after.definition.name}`)
  if (before.codeHash !== after.codeHash) return anew('its code changed')
  if (before.worker?.memoryMb !== after.worker?.memoryMb) return anew('its isolation changed')
  const options = compareOptions(before.options, after.options)
  if (options.length === 0) return undefined
  const why = `${options.length === 1 ? 'option' : 'options'} ${options.join(', ')} changed`
  return { before, after, why, optionsOnly: true }
}
