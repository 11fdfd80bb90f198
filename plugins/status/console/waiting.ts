import { formatDuration, type Host, type SchedulerView } from 'boltbot/plugin-sdk'
import { plainText } from './plain-text.ts'
import type { Printer } from './printer.ts'

/** Tells what schedulers wait for, once for each wait, and on a terminal counts down below. */
export function tellWaiting(host: Host, printer: Printer, countdown: boolean): void {
  /** What was told of each scheduler last. */
  const told = new Map<string, string>()
  let timer: Disposable | undefined
  let looking = false

  /** Looks again until nobody waits for a moment of time any more. */
  const look = async () => {
    looking = true
    let schedulers: readonly SchedulerView[] = []
    try {
      schedulers = await host.query.schedulers()
    } finally {
      looking = false
    }
    if (host.signal.aborted) return
    tell(schedulers)
    const moments = schedulers.flatMap(({ wakeAt, waiting }) => (wakeAt === null || waiting === null ? [] : [wakeAt]))
    timer?.[Symbol.dispose]()
    timer = undefined
    if (moments.length === 0) return printer.footer(null)
    const left = Math.max(0, Math.min(...moments) - host.clock.now())
    // With nothing to count it is enough to look again when something is due.
    later(countdown ? Math.min(1000, left + 100) : left + 100)
  }
  const tell = (schedulers: readonly SchedulerView[]) => {
    const now = host.clock.now()
    const counted: string[] = []
    for (const { name, waiting, wakeAt } of schedulers) {
      if (waiting === null) told.delete(name)
      else if (told.get(name) !== waiting) {
        told.set(name, waiting)
        printer.line(now, 'scheduler', `${plainText(name)}: ${plainText(waiting)}`)
      }
      if (waiting !== null && wakeAt !== null && wakeAt > now) counted.push(`${name} in ${countText(wakeAt - now)}`)
    }
    if (countdown) printer.footer(counted.length === 0 ? null : `… ${counted.join(', ')}`)
  }
  const later = (ms: number) => {
    timer?.[Symbol.dispose]()
    timer = host.clock.timer(ms, () => {
      timer = undefined
      look().catch((error: unknown) => host.log.debug('schedulers not seen', { error }))
    })
  }

  host.own({ [Symbol.dispose]: () => timer?.[Symbol.dispose]() })
  // A moment later, as schedulers are told of a change after it was accepted.
  host.tap('changeAccepted', () => {
    if (!looking) later(SOON_MS)
  })
  host.tap('buildsetCreated', () => {
    if (!looking) later(SOON_MS)
  })
}

const SOON_MS = 50

function countText(ms: number): string {
  return formatDuration(Math.ceil(ms / 1000) * 1000)
}
