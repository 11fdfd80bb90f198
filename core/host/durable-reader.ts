import {
  type Clock,
  deepFreeze,
  type EventId,
  type HookEvent,
  type Log,
  messageOf,
  type Random,
  type StoredHook,
} from 'boltbot/plugin-sdk'
import { backOff } from './back-off.ts'

/** An event of the journal. */
export type JournalEvent = {
  [Name in StoredHook]: { readonly name: Name; readonly event: HookEvent<Name> }
}[StoredHook]

/** What the host reads of the journal. `core/store/journal.ts` is the real one. */
export interface JournalReader {
  /** The newest committed event; 0 when there is none. No event with a smaller id is committed later. */
  head(): Promise<EventId>
  /** Committed events after an id, oldest first, of these names only. */
  read(query: {
    readonly after: EventId
    readonly names: readonly StoredHook[]
    readonly limit: number
  }): Promise<readonly JournalEvent[]>
  /** How far a plugin has come; `undefined` when it never read. */
  cursor(plugin: string): Promise<EventId | undefined>
  /** Stores that everything up to the id is dealt with. */
  advance(plugin: string, event: EventId): Promise<void>
}

export interface DurableTap {
  readonly hook: StoredHook
  /** Rejects when the event must come again. */
  readonly deliver: (event: unknown) => Promise<void>
}

/**
 * Reads the journal for one durable plugin: one event at a time, in order, each until all taps of it took it. A tap that throws is
 * asked again after a while (1 s, doubling to 5 min), with the same event; taps that took it already are not, and later events wait.
 *
 * The cursor follows what was dealt with, one write at a time: a slow target is written down event by event, a burst together,
 * and never an event that was not dealt with.
 */
export interface DurableReader {
  /** Finds its place: the stored one, or, the first time, the end of the journal. Before it, nothing of the journal is missed. */
  place(): Promise<void>
  /** Begins to read. */
  open(): void
  /** Events were committed; left out `names` means any. Does not cut a back-off short. */
  wake(names?: readonly string[]): void
  /** Ends after the event in hand, or when the time is up, and stores the cursor. Resolves with the hook that did not finish. */
  stop(ms: number): Promise<StoredHook | undefined>
  /** The event that fails, while it does. */
  readonly stuck: { readonly event: EventId; readonly failures: number; readonly retryAt: number } | null
}

export interface DurableReaderDeps {
  readonly plugin: string
  readonly taps: readonly DurableTap[]
  readonly journal: JournalReader
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const PAGE = 100
/** So many events of others may pass before the cursor is moved over them, so that they can be deleted. */
const SKIPPED = 1000

export function createDurableReader({ plugin, taps, journal, clock, random, log }: DurableReaderDeps): DurableReader {
  const names = [...new Set(taps.map((tap) => tap.hook))]
  const stopping = new AbortController()
  const cursor = createCursor({ plugin, journal, log })
  let at: EventId = 0
  let skipped = 0
  let asleep: PromiseWithResolvers<void> | undefined
  let woken = true
  let current: StoredHook | undefined
  let stuck: DurableReader['stuck'] = null
  let reading: Promise<void> | undefined

  const run = async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        await readOn()
        failures = 0
      } catch (error) {
        if (stopping.signal.aborted) return
        failures++
        log.error('journal could not be read', { error: messageOf(error), failures })
        await pause(backOff(failures, random))
      }
    }
  }
  const readOn = async () => {
    const head = await journal.head()
    const page = await journal.read({ after: at, names, limit: PAGE })
    for (const item of page) {
      await handle(item)
      if (stopping.signal.aborted) return
    }
    if (page.length === PAGE) return
    // Nothing of ours is left up to the head that was read first.
    if (head > at) at = head
    if (page.length > 0 || skipped >= SKIPPED) cursor.move(at)
    skipped = 0
    await sleep()
  }
  const handle = async ({ name, event }: JournalEvent) => {
    deepFreeze(event)
    let left = taps.filter((tap) => tap.hook === name)
    for (let failures = 0; left.length > 0 && !stopping.signal.aborted; ) {
      const failed: DurableTap[] = []
      let problem: unknown
      for (const tap of left) {
        current = name
        try {
          await tap.deliver(event)
        } catch (error) {
          failed.push(tap)
          problem = error
        }
        current = undefined
      }
      left = failed
      if (left.length === 0 || stopping.signal.aborted) break
      failures++
      const ms = backOff(failures, random)
      stuck = { event: event.eventId, failures, retryAt: clock.now() + ms }
      const fields = { hook: name, eventId: event.eventId, failures, inMs: Math.round(ms), error: problem }
      log.warn('tap failed, its event will be tried again', fields)
      await pause(ms)
    }
    if (left.length > 0) return
    stuck = null
    at = event.eventId
    cursor.move(at)
  }
  const pause = (ms: number) => clock.sleep(ms, stopping.signal).catch(() => {}) // ended by stop
  const sleep = async () => {
    if (woken || stopping.signal.aborted) {
      woken = false
      return
    }
    asleep = Promise.withResolvers<void>()
    await asleep.promise
    asleep = undefined
    woken = false
  }
  const rouse = () => {
    woken = true
    asleep?.resolve()
  }

  return {
    async place() {
      const stored = await journal.cursor(plugin)
      at = stored ?? (await journal.head())
      if (stored === undefined) await journal.advance(plugin, at)
      cursor.begin(at)
    },
    open() {
      woken = false // the first page is read without being told
      reading ??= run()
    },
    wake(told) {
      if (told?.every((name) => !(names as readonly string[]).includes(name)) && (skipped += told.length) < SKIPPED)
        return
      rouse()
    },
    async stop(ms) {
      stopping.abort()
      rouse()
      const up = Promise.withResolvers<void>()
      using _ = clock.timer(ms, up.resolve)
      await Promise.race([reading, up.promise])
      const unfinished = current
      if (reading) cursor.move(at)
      await Promise.race([cursor.flushed(), up.promise])
      return unfinished
    },
    get stuck() {
      return stuck
    },
  }
}

/** Stores a position, one write at a time; positions that come during a write go into the next. */
function createCursor({ plugin, journal, log }: Pick<DurableReaderDeps, 'plugin' | 'journal' | 'log'>) {
  let stored = 0
  let wanted = 0
  let writing: Promise<void> | undefined
  let failing = false
  const write = async () => {
    while (stored < wanted) {
      const next = wanted
      try {
        await journal.advance(plugin, next)
        stored = next
        failing = false
      } catch (error) {
        if (!failing) log.error('cursor could not be stored', { eventId: next, error: messageOf(error) })
        failing = true
        break // the next move tries again
      }
    }
    writing = undefined
  }
  return {
    begin(at: number) {
      stored = wanted = at
    },
    move(to: number) {
      wanted = Math.max(wanted, to)
      writing ??= write()
    },
    flushed: async () => writing,
  }
}
