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
  /** Rejects when the event must come again; `'passed'`: it had nothing to do with it. */
  readonly deliver: (event: unknown) => Promise<unknown>
}

/**
 * Reads the journal for one durable plugin: one event at a time, in order, each until all taps of it took it. A tap that throws is
 * asked again after a while (1 s, doubling to 5 min), with the same event; taps that took it already are not, and later events wait.
 *
 * It is told of each commit, and looks into the journal only where the ids leave a gap: at the start, far behind, beside another master.
 *
 * The cursor follows what was dealt with, one write at a time: a slow target is written down event by event, a burst together,
 * and never an event that was not dealt with. What its taps passed is written down with the next event, or after a second.
 */
export interface DurableReader {
  /** Finds its place: the stored one, or, the first time, the end of the journal. Before it, nothing of the journal is missed. */
  place(): Promise<void>
  /** Begins to read. */
  open(): void
  /** Events were committed: these; left out: some. Does not cut a back-off short. */
  wake(events?: readonly JournalEvent[]): void
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

/** So many are read at once, and so many wait here: the rest stays in the journal. */
const PAGE = 100
/** So many events of others may pass before the cursor is moved over them, so that they can be deleted. */
const SKIPPED = 1000
/** So long may pass before the cursor is moved over events that were passed. */
const PASSED_MS = 1000

export function createDurableReader({ plugin, taps, journal, clock, random, log }: DurableReaderDeps): DurableReader {
  const names = new Set<string>(taps.map((tap) => tap.hook))
  const wanted = [...names] as StoredHook[] // those above
  const stopping = new AbortController()
  const cursor = createCursor({ plugin, journal, clock, log })
  /** Read or told, and not dealt with; the first one is in hand. */
  const waiting: JournalEvent[] = []
  let at: EventId = 0
  /** Of what is in the journal up to here all that is left waits above. */
  let known: EventId = 0
  /** There may be more in the journal. */
  let isBehind = true
  let isLooking = false
  let skipped = 0
  let asleep: PromiseWithResolvers<void> | undefined
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
    if (isBehind && waiting.length === 0) await look()
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      await handle(next)
      if (stopping.signal.aborted) return
    }
    if (isBehind) return
    at = known
    if (skipped >= SKIPPED) {
      skipped = 0
      cursor.move(at)
    }
    await sleep()
  }
  const look = async () => {
    isLooking = true
    isBehind = false
    try {
      const head = await journal.head()
      const page = await journal.read({ after: known, names: wanted, limit: PAGE })
      waiting.push(...page)
      const last = page.at(-1)?.event.eventId ?? known
      // A shorter page: nothing of ours is left up to the head that was read first.
      known = page.length === PAGE ? last : Math.max(last, head)
      if (page.length === PAGE) isBehind = true
    } catch (error) {
      isBehind = true
      throw error
    } finally {
      isLooking = false
    }
  }
  const handle = async ({ name, event }: JournalEvent) => {
    deepFreeze(event)
    let left = taps.filter((tap) => tap.hook === name)
    let isPassed = true
    for (let failures = 0; left.length > 0 && !stopping.signal.aborted; ) {
      const failed: DurableTap[] = []
      let problem: unknown
      for (const tap of left) {
        current = name
        try {
          if ((await tap.deliver(event)) !== 'passed') isPassed = false
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
    waiting.shift()
    skipped = 0
    // With the last one all that is known is dealt with.
    at = waiting.length === 0 ? known : event.eventId
    if (isPassed) cursor.pass(at)
    else cursor.move(at)
  }
  const pause = (ms: number) => clock.sleep(ms, stopping.signal).catch(() => {}) // ended by stop
  const sleep = async () => {
    if (stopping.signal.aborted) return
    asleep = Promise.withResolvers<void>()
    await asleep.promise
    asleep = undefined
  }
  const lookSoon = () => {
    isBehind = true
    asleep?.resolve()
  }
  /** The ids have no gap, so that nobody else's events are between them. */
  const follow = (events: readonly JournalEvent[]) =>
    events[0]?.event.eventId === known + 1 && events.at(-1)?.event.eventId === known + events.length

  return {
    async place() {
      const stored = await journal.cursor(plugin)
      at = stored ?? (await journal.head())
      if (stored === undefined) await journal.advance(plugin, at)
      known = at
      cursor.begin(at)
    },
    open() {
      reading ??= run()
    },
    wake(events) {
      if (events === undefined || isLooking || !follow(events)) return lookSoon()
      const ours = events.filter(({ name }) => names.has(name))
      if (waiting.length + ours.length > PAGE) return lookSoon()
      known += events.length
      skipped += events.length - ours.length
      waiting.push(...ours)
      if (waiting.length > 0 || skipped >= SKIPPED) asleep?.resolve()
    },
    async stop(ms) {
      stopping.abort()
      asleep?.resolve()
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
function createCursor({
  plugin,
  journal,
  clock,
  log,
}: Pick<DurableReaderDeps, 'plugin' | 'journal' | 'clock' | 'log'>) {
  let stored = 0
  let wanted = 0
  let writing: Promise<void> | undefined
  let soon: Disposable | undefined
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
  const move = (to: number) => {
    soon?.[Symbol.dispose]()
    soon = undefined
    wanted = Math.max(wanted, to)
    writing ??= write()
  }
  return {
    begin(at: number) {
      stored = wanted = at
    },
    move,
    /** Later, with others. */
    pass(to: number) {
      wanted = Math.max(wanted, to)
      soon ??= clock.timer(PASSED_MS, () => move(wanted))
    },
    flushed: async () => writing,
  }
}
