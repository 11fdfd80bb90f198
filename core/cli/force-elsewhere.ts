import { fromPlain, type Plain } from '../../wire/pb/plain.ts'
import { callDebugPort, type ElsewhereOptions } from './debug-port.ts'
import { badArgument } from './errors.ts'
import { oneLine, print } from './output.ts'

export interface ForceElsewhere extends ElsewhereOptions {
  readonly branch?: string
  readonly revision?: string
  readonly reason?: string
  readonly prop?: Readonly<Record<string, Plain>>
}

/** What a debug port has no words for. */
const NOT_THERE = ['scheduler', 'set', 'builder', 'fields', 'wait', 'priority', 'json'] as const

/** Asks the debug port of a master elsewhere for a build. */
export async function forceElsewhere(builder: string | undefined, options: ForceElsewhere): Promise<void> {
  for (const option of NOT_THERE)
    if (option in options) throw badArgument('option', `--${option}`, 'left out for a master elsewhere')
  if (builder === undefined) throw badArgument('builder', '', 'named')
  const { branch, revision, reason = 'forced', prop = {} } = options
  const asked = await callDebugPort(options, [
    'requestBuild',
    builder,
    reason,
    branch ?? null,
    revision ?? null,
    fromPlain(prop),
  ])
  // An old Buildbot gives nothing.
  const { requests, warning } = (asked ?? {}) as {
    readonly requests?: readonly number[]
    readonly warning?: string | null
  }
  print(`${requests === undefined ? 'A build' : `Request ${requests.join(', ')}`} of "${builder}" is queued.`)
  if (warning) print(`Mind: ${oneLine(warning)}.`)
}
