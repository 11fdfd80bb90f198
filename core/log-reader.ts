import type { LogPart, LogPlace, LogView } from 'boltbot/plugin-sdk'
import { logUnknown } from './errors.ts'
import { readStepLogs, type StoredStepLogs } from './store/build-views.ts'
import type { LogKey, LogStore } from './store/log-store.ts'
import type { Store } from './store/store.ts'

/** Logs of steps, running or finished, as people and pages read them. */
export interface LogReader {
  view(place: LogPlace): Promise<LogView | undefined>
  /** @throws CiError `BOLT_LOGS_UNKNOWN`. */
  read(place: LogPlace, from: number, to?: number): Promise<LogPart>
  /** 0 when there is no such log. */
  lineOffset(place: LogPlace, line: number): Promise<number>
  tail(place: LogPlace, maxLines: number): Promise<string>
}

const TAIL_BYTES = 65_536

export function createLogReader(store: Store, logs: LogStore): LogReader {
  const keyOf = ({ build, step, log }: LogPlace, { epoch }: StoredStepLogs): LogKey => ({ build, step, log, epoch })

  /** `undefined`: there is no such step, or it ended without this log. */
  async function find(place: LogPlace): Promise<StoredStepLogs | undefined> {
    const known = await readStepLogs(store.db, place.build, place.step)
    return known?.running || known?.logs.some((one) => one.name === place.log) ? known : undefined
  }

  return {
    async view(place) {
      const known = await find(place)
      if (known === undefined) return undefined
      const key = keyOf(place, known)
      const [bytes, lines] = await Promise.all([logs.length(key), logs.lines(key)])
      // A running step may have any log: one without a byte is none yet, but for the one all steps have.
      return bytes === 0 && known.running && place.log !== 'stdio'
        ? undefined
        : { bytes, lines, running: known.running }
    },
    async read(place, from, to) {
      const known = await find(place)
      if (known === undefined) {
        const step = await readStepLogs(store.db, place.build, place.step)
        throw logUnknown(place.build, place.step, place.log, step?.logs.map((one) => one.name) ?? [])
      }
      // Whether it runs is asked before the bytes are: nothing can come between.
      const pieces = await logs.read(keyOf(place, known), from, to)
      const last = pieces.at(-1)
      const next = last === undefined ? from : last.offset + last.data.length
      return { pieces, next, finished: !known.running && pieces.length === 0 }
    },
    async lineOffset(place, line) {
      const known = await find(place)
      return known === undefined ? 0 : logs.lineOffset(keyOf(place, known), line)
    },
    async tail(place, maxLines) {
      const known = await find(place)
      if (known === undefined) return ''
      const key = keyOf(place, known)
      const length = await logs.length(key)
      const from = Math.max(await logs.lineOffset(key, -maxLines), length - TAIL_BYTES)
      const pieces = await logs.read(key, from)
      return new TextDecoder().decode(Buffer.concat(pieces.map((piece) => piece.data)))
    },
  }
}
