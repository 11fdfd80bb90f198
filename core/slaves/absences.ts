import type { Clock, Log } from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'
import { beginAbsences, endAbsences, slaveMissing } from '../store/absences.ts'
import type { SlaveRecord } from '../store/slaves.ts'
import type { Store } from '../store/store.ts'

/**
 * The missing clocks: since when each slave should be here and is not. They are in the store, so a restart of the master does not
 * begin them anew; it only gives the slaves a while to come back before anybody is told. What is told is `slaveMissing`, once.
 */
export interface Absences {
  /** The clocks of the store go on; those of slaves that did not come with this start begin. */
  start(records: ReadonlyMap<string, SlaveRecord>): Promise<void>
  /** It attached. */
  came(slave: string): void
  /** Its link is gone since then. */
  left(slave: string, since: number): void
  /** The config changed, or what is planned for a slave. Never rejects. */
  look(): Promise<void>
  of(slave: string): { readonly since: number; readonly missing: boolean } | undefined
  stop(): void
}

export interface AbsencesDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly config: () => Config
  readonly isAttached: (slave: string) => boolean
  /** Until when it is away as planned; its clock stands still so long. */
  readonly awayUntil: (slave: string) => number
}

interface Absence {
  readonly since: number
  /** It was given no chance to come back before. */
  readonly notBefore: number
  missing: boolean
  timer?: Disposable | undefined
}

/** Slaves try to reconnect every 5 minutes at least: after a start of the master, nobody is missing before. */
const GRACE_MS = 6 * 60_000
const AGAIN_MS = 60_000

export function createAbsences(deps: AbsencesDeps): Absences {
  const { store, clock, log, config, isAttached } = deps
  const absences = new Map<string, Absence>()
  /** Latent slaves are here when they are needed: their absence means nothing. */
  const isLatent = (slave: string) => (config().slaves.get(slave)?.latent ?? null) !== null
  let running = false
  let again: Disposable | undefined

  /** When it is missing; `undefined`: never. */
  function dueOf(slave: string, { since, notBefore }: Absence): number | undefined {
    const timeout = config().slaves.get(slave)?.missingTimeoutMs ?? 0
    return timeout === 0 ? undefined : Math.max(notBefore, Math.max(since, deps.awayUntil(slave)) + timeout)
  }

  function schedule(slave: string): void {
    const absence = absences.get(slave)
    absence?.timer?.[Symbol.dispose]()
    if (!running || absence === undefined || absence.missing) return
    const due = dueOf(slave, absence)
    absence.timer = due === undefined ? undefined : clock.timer(due - clock.now(), () => void tell(slave, absence))
  }

  async function tell(slave: string, absence: Absence): Promise<void> {
    try {
      const notify = config().slaves.get(slave)?.notifyOnMissing ?? []
      const told = await slaveMissing(store, { name: slave, since: absence.since, notify })
      absence.missing = true
      if (told) log.warn('slave missing', { slave, since: absence.since })
    } catch (error) {
      log.error('missing slave not stored', { slave, error })
      if (running && absences.get(slave) === absence)
        absence.timer = clock.timer(AGAIN_MS, () => void tell(slave, absence))
    }
  }

  function drop(slave: string): void {
    absences.get(slave)?.timer?.[Symbol.dispose]()
    absences.delete(slave)
  }

  /** Slaves that should be here, are not, and have no clock yet. */
  async function begin(notBefore: number): Promise<void> {
    const away = [...config().slaves.keys()].filter(
      (slave) => !isLatent(slave) && !isAttached(slave) && !absences.has(slave),
    )
    if (away.length === 0) return
    const since = await beginAbsences(store, away)
    for (const [slave, at] of since) {
      // It may have come meanwhile, or come and gone.
      if (isAttached(slave) || absences.has(slave)) continue
      absences.set(slave, { since: at, notBefore, missing: false })
      schedule(slave)
    }
  }

  async function look(notBefore: number): Promise<void> {
    const gone = [...absences.keys()].filter((slave) => !config().slaves.has(slave) || isLatent(slave))
    for (const slave of gone) drop(slave)
    if (gone.length > 0) await endAbsences(store, gone)
    await begin(notBefore)
    for (const slave of absences.keys()) schedule(slave)
  }

  /** What cannot be stored is tried again: a slave whose clock does not run is never missing. */
  async function lookAgain(): Promise<void> {
    again?.[Symbol.dispose]()
    try {
      await look(0)
    } catch (error) {
      log.error('missing clocks not stored', { error })
      if (running) again = clock.timer(AGAIN_MS, () => void lookAgain())
    }
  }

  return {
    async start(records) {
      running = true
      const notBefore = clock.now() + GRACE_MS
      for (const [slave, { absentSince, missingAt }] of records) {
        if (absentSince === null || isLatent(slave) || isAttached(slave) || absences.has(slave)) continue
        absences.set(slave, { since: absentSince, notBefore, missing: missingAt !== null })
      }
      await look(notBefore)
    },
    came: drop,
    left(slave, since) {
      drop(slave)
      absences.set(slave, { since, notBefore: 0, missing: false })
      schedule(slave)
    },
    look: lookAgain,
    of: (slave) => absences.get(slave),
    stop() {
      running = false
      again?.[Symbol.dispose]()
      for (const absence of absences.values()) absence.timer?.[Symbol.dispose]()
    },
  }
}
