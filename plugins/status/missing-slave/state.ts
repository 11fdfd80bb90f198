import type { SlaveBack, SlaveLost, SlaveMissing } from 'boltbot/plugin-sdk'
import type { Watching } from './options.ts'

/**
 * What is known of slaves that are not simply up. A slave is
 * - *late*: its link is lost; → up (it came back) · missing (core says so);
 * - *missing*: its people are told a little later, together with others; → up (it came back and stayed; if they had been told, they
 *   are told that too).
 * One that comes back and is lost again before it stayed was never back: nobody hears of either.
 */
export interface State {
  readonly slaves: Readonly<Record<string, Slave>>
  /** Losses of the last day, by slave. */
  readonly losses: Readonly<Record<string, readonly number[]>>
  /** Events up to this one are in it. */
  readonly eventId: number
  /** Messages that are made, and may not have been handed over. */
  readonly outgoing: readonly Letter[]
}

export type Slave = { readonly phase: 'late'; readonly since: number } | Missing

export interface Missing
  extends Pick<SlaveMissing, 'since' | 'lastHeard' | 'admin' | 'host' | 'reason' | 'running' | 'notify'> {
  readonly phase: 'missing'
  /** True once its people know. */
  readonly told: boolean
  /** Since when it is here again. */
  readonly backSince: number | null
  /** When something is to be told; `null`: nothing. */
  readonly dueAt: number | null
}

/** One message: which slaves, and what about them. */
export interface Letter {
  readonly key: string
  readonly kind: 'missing' | 'still' | 'back'
  readonly to: readonly string[]
  readonly slaves: readonly ({ readonly name: string; readonly losses: number } & Missing)[]
}

export const EMPTY: State = { slaves: {}, losses: {}, eventId: 0, outgoing: [] }

const DAY_MS = 86_400_000

export function lost(state: State, { slave, at }: SlaveLost): State {
  const before = state.slaves[slave]
  const recent = (state.losses[slave] ?? []).filter((time) => time > at - DAY_MS)
  const after: Slave =
    before?.phase === 'missing'
      ? { ...before, backSince: null, dueAt: before.backSince === null ? before.dueAt : null }
      : { phase: 'late', since: at }
  return { ...withSlave(state, slave, after), losses: { ...state.losses, [slave]: [...recent, at].slice(-100) } }
}

export function connected(state: State, slave: string): State {
  return state.slaves[slave]?.phase === 'late' ? withSlave(state, slave, undefined) : state
}

export function missing(state: State, event: SlaveMissing, { gatherMs, reminderMs }: Watching): State {
  const { slave, since, lastHeard, admin, host, reason, running, notify, at } = event
  const before = state.slaves[slave]
  const told = before?.phase === 'missing' && before.told
  const pending = before?.phase === 'missing' && !told ? before.dueAt : null
  const facts = { lastHeard, admin, host, reason, running, notify }
  const dueAt = told ? remindedAt(at, reminderMs) : (pending ?? at + gatherMs)
  // They were told of it already: it came and went since.
  const from = told ? before.since : since
  return withSlave(state, slave, { phase: 'missing', ...facts, since: from, told, backSince: null, dueAt })
}

export function back(state: State, { slave, at }: SlaveBack, { settleMs }: Watching): State {
  const before = state.slaves[slave]
  if (before?.phase !== 'missing') return state
  if (!before.told) return withSlave(state, slave, undefined)
  return withSlave(state, slave, { ...before, backSince: at, dueAt: at + settleMs })
}

/** When something is to be told. */
export function nextDue(state: State): number | undefined {
  const times = missingOf(state).flatMap(([, { dueAt }]) => dueAt ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Makes the messages that are due, with what would be due soon. `isQuiet`: nobody is to be reminded of this slave now. */
export function collect(
  state: State,
  now: number,
  { gatherMs, reminderMs, extraRecipients }: Watching,
  isQuiet: (slave: string) => boolean,
): State {
  const due = missingOf(state).filter(([, { dueAt }]) => dueAt !== null && dueAt <= now + gatherMs)
  const news: {
    readonly kind: Letter['kind']
    readonly to: readonly string[]
    readonly slave: Letter['slaves'][number]
  }[] = []
  let after = state
  for (const [name, slave] of due) {
    const kind = slave.backSince !== null ? 'back' : slave.told ? 'still' : 'missing'
    const next = { ...slave, told: true, dueAt: remindedAt(now, reminderMs) }
    after = withSlave(after, name, kind === 'back' ? undefined : next)
    if (kind === 'still' && isQuiet(name)) continue
    const losses = (state.losses[name] ?? []).filter((time) => time > now - DAY_MS).length
    news.push({ kind, to: [...new Set([...slave.notify, ...extraRecipients])], slave: { name, losses, ...slave } })
  }
  const letters = (['missing', 'still', 'back'] as const).flatMap((kind) =>
    lettersOf(
      kind,
      news.filter((one) => one.kind === kind),
      `${kind} ${now} ${state.eventId}`,
    ),
  )
  return { ...after, outgoing: [...state.outgoing, ...letters] }
}

/** One letter for a person, whatever it is about; those who get the same share one. */
function lettersOf(
  kind: Letter['kind'],
  news: readonly { readonly to: readonly string[]; readonly slave: Letter['slaves'][number] }[],
  key: string,
): readonly Letter[] {
  const letters = new Map<string, Letter>()
  for (const person of new Set(news.flatMap(({ to }) => to))) {
    const slaves = news.filter(({ to }) => to.includes(person)).map(({ slave }) => slave)
    const names = slaves.map(({ name }) => name).join()
    const known = letters.get(names)
    letters.set(names, {
      key: known?.key ?? `${key} ${letters.size}`,
      kind,
      to: [...(known?.to ?? []), person],
      slaves,
    })
  }
  return [...letters.values()]
}

/** Slaves that the config has no longer are nobody's. */
export function prune(state: State, known: ReadonlySet<string>): State {
  const keep = <T>(of: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(of).filter(([name]) => known.has(name)))
  return { ...state, slaves: keep(state.slaves), losses: keep(state.losses) }
}

const missingOf = (state: State) =>
  Object.entries(state.slaves).filter((entry): entry is [string, Missing] => entry[1].phase === 'missing')

const remindedAt = (now: number, reminderMs: number | null) => (reminderMs === null ? null : now + reminderMs)

function withSlave(state: State, name: string, slave: Slave | undefined): State {
  const { [name]: _, ...others } = state.slaves
  return { ...state, slaves: slave === undefined ? others : { ...others, [name]: slave } }
}
