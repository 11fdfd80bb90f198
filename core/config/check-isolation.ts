import { type Isolation, NEEDS, type PluginInstance } from 'boltbot/plugin-sdk'
import type { WorkerSpec } from './model.ts'
import type { KeyPath } from './positions.ts'
import type { Report, Subject } from './report.ts'
import { isRecord, show } from './rules.ts'

const DEFAULT_MB = 256
const LEAST_MB = 32
/** What a thread cannot do for the walk: schedulers decide in the turn of a transaction, slaves' connections are live objects. */
const NOT_IN_WORKERS: readonly string[] = ['schedulers', 'slaves'] satisfies (keyof typeof NEEDS)[]

export interface Code {
  /** The file that called `definePlugin`; `undefined` when that is not known. */
  readonly file: string | undefined
  readonly folder: string
  /** As of the config's files when it was read. */
  readonly copy: string
}

/** Where a plugin runs, as its instance says; `null`: in the master's process. Problems are those that would keep a worker from loading it. */
export function checkIsolation(
  report: Report,
  subject: Subject,
  { isolation = 'none', definition }: Partial<Pick<PluginInstance, 'isolation'>> & Pick<PluginInstance, 'definition'>,
  options: object,
  { file, folder, copy }: Code,
): WorkerSpec | null {
  if (isolation === 'none') return null
  const memoryMb = memoryOf(isolation)
  if (memoryMb === undefined) {
    const message = `It is ${show(isolation)}. Give 'none', 'worker', or { memoryMb: 512 } with ${LEAST_MB} at least.`
    report(subject, ['isolation'], message)
    return null
  }
  const problem = (path: KeyPath, message: string) => report(subject, path, message)
  const needs = Array.isArray(definition.needs) ? definition.needs : []
  const beyond = needs.find((need) => NOT_IN_WORKERS.includes(need))
  if (beyond !== undefined) {
    const members = NEEDS[beyond as keyof typeof NEEDS].map((member) => `host.${member}`).join(' and ')
    problem(['isolation'], `It needs "${beyond}", and there is no ${members} in a worker. Take isolation away.`)
  }
  const path = keptBack(options, [])
  if (path !== undefined) {
    const what = `It cannot be handed to a worker, which takes plain data.`
    problem(path, `${what} Give data, a name for instance, or take isolation away.`)
  }
  if (file === undefined) {
    problem(['isolation'], 'The file that defines it is not known, so no worker can load it. Take isolation away.')
    return null
  }
  return { memoryMb, module: file, folder, copy }
}

function memoryOf(isolation: Isolation): number | undefined {
  if (isolation === 'worker') return DEFAULT_MB
  if (!isRecord(isolation)) return undefined
  const { memoryMb } = isolation
  return Number.isInteger(memoryMb) && memoryMb >= LEAST_MB ? memoryMb : undefined
}

const CLONED = [Date, RegExp, ArrayBuffer, Error]

/** The place of the first value that a structured clone would refuse or make something else of. */
function keptBack(value: unknown, path: KeyPath, above: readonly object[] = []): KeyPath | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return path
  if (typeof value !== 'object' || value === null || above.includes(value)) return undefined
  const inside = [...above, value]
  if (value instanceof Map || value instanceof Set) return keptBack([...value], path, inside)
  if (ArrayBuffer.isView(value) || CLONED.some((type) => value instanceof type)) return undefined
  const proto = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && proto !== Object.prototype && proto !== null) return path
  for (const [key, item] of Object.entries(value)) {
    const found = keptBack(item, [...path, Array.isArray(value) ? Number(key) : key], inside)
    if (found) return found
  }
  return undefined
}
