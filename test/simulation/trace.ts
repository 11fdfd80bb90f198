import type { Clock, Log, LogFields } from 'boltbot/plugin-sdk'
import { messageOf } from 'boltbot/plugin-sdk'
import type { StoredEvent } from '../../core/store/store.ts'
import { ReadFailed } from './mortal-store.ts'
import type { Verdict } from './verdict.ts'

/** What happened in a simulation, a line each. The same seed gives the same lines. */
export interface Trace {
  readonly lines: readonly string[]
  note(line: string): void
  event(event: StoredEvent): void
  /** A log whose lines go here too. What no part of a master may say ends the run. */
  logOf(verdict: Verdict): Log
}

/** Said only when a part of the core has a defect: no fault of the world brings it there. */
const NEVER = new Set([
  'build failed in the master',
  'event listener failed',
  'commit listener failed',
  'timer failed',
  'pass over a builder failed',
  'scheduler failed, this input is passed over',
  'scheduler could not judge a change, it counts as important',
  'plugin could not be started again',
  'simulated master could not stop',
])

export function createTrace(clock: Clock, told?: (line: string) => void): Trace {
  const began = clock.now()
  const lines: string[] = []
  const note = (line: string) => {
    const timed = `${((clock.now() - began) / 1000).toFixed(3).padStart(10)}  ${line}`
    lines.push(timed)
    told?.(timed)
  }
  return {
    lines,
    note,
    event({ name, event }) {
      const { eventId, at: _, ...rest } = event
      note(`  #${eventId} ${name} ${short(rest)}`)
    },
    logOf(verdict) {
      const say = (level: string) => (message: string, fields?: LogFields) => {
        const { error } = fields ?? {}
        if (NEVER.has(message) && !(error instanceof ReadFailed)) {
          const text = error instanceof Error ? error.stack : messageOf(error)
          verdict.broken('no part fails by itself', `${message}: ${text}`)
        }
        note(`  ${level}: ${message} ${short({ ...fields, ...(error !== undefined && { error: messageOf(error) }) })}`)
      }
      const log: Log = { error: say('error'), warn: say('warn'), info: say('info'), debug() {}, child: () => log }
      return log
    },
  }
}

const HIDDEN = new Set(['blamelist', 'sourceStamp', 'comments', 'text', 'links', 'properties', 'hash'])

function short(fields: object): string {
  const shown = Object.entries(fields).filter(([key, value]) => !HIDDEN.has(key) && value !== null)
  return shown.map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`).join(' ')
}
