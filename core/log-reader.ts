import { logUnknown } from './errors.ts'
import type { LogPart, LogPlace } from './master-api.ts'
import { readStepLogs } from './store/build-views.ts'
import type { LogStore } from './store/log-store.ts'
import type { Store } from './store/store.ts'

/** A part of a step's log from a byte on, running or finished. @throws CiError `BOLT_LOGS_UNKNOWN`. */
export async function readLogPart(store: Store, logs: LogStore, place: LogPlace, from: number): Promise<LogPart> {
  const { build, step, log } = place
  const known = await readStepLogs(store.db, build, step)
  if (known === undefined || !(known.running || known.logs.some((one) => one.name === log)))
    throw logUnknown(build, step, log, known?.logs.map((one) => one.name) ?? [])
  // Whether it runs is asked before the bytes are: nothing can come between.
  const pieces = await logs.read({ build, step, log, epoch: known.epoch }, from)
  const last = pieces.at(-1)
  const next = last === undefined ? from : last.offset + last.data.length
  return { pieces, next, finished: !known.running && pieces.length === 0 }
}
