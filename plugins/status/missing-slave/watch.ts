import { type EventBase, type Host, hasCode, type Json, type Recipient } from 'boltbot/plugin-sdk'
import { write } from './letters.ts'
import type { Watching } from './options.ts'
import { collect, EMPTY, type Letter, nextDue, prune, type State } from './state.ts'

/** Keeps the state in the plugin's store, and tells what is due when it is due. */
export interface Watch extends Disposable {
  /** An event: changes the state, once. Resolves when that is stored. */
  take(event: EventBase, change: (state: State) => State): Promise<void>
  /** Goes on with what an earlier process left. */
  start(): Promise<void>
}

const KEY = 'slaves'
const AGAIN_MS = 60_000
/** For the header of mails that says it. */
const WHY = { '*': 'you are named for slaves that are missing' }

export function createWatch(host: Host, options: Watching): Watch {
  let timer: Disposable | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** One at a time: events and timers change the same state. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work)
    turn = done.catch(() => {}) // told to whoever asked
    return done
  }

  const read = async () => ((await host.state.get(KEY)) as unknown as State | undefined) ?? EMPTY // written below only
  const keep = (state: State) => host.state.set(KEY, state as unknown as Json) // plain data

  function schedule(state: State): void {
    timer?.[Symbol.dispose]()
    const due = nextDue(state)
    if (state.outgoing.length > 0)
      wakeIn(AGAIN_MS) // they could not be handed over before
    else if (due !== undefined) wakeIn(Math.max(0, due - host.clock.now()))
  }

  function wakeIn(ms: number): void {
    timer = host.clock.timer(ms, () => {
      inTurn(tellDue).catch((error: unknown) => {
        host.log.error('missing slaves not told', { error })
        if (!host.signal.aborted) wakeIn(AGAIN_MS)
      })
    })
  }

  async function tellDue(): Promise<void> {
    const views = await host.query.slaves()
    const known = prune(await read(), new Set(views.map(({ name }) => name)))
    const isQuiet = (name: string) => views.some((view) => view.name === name && view.away !== null)
    const state = collect(known, host.clock.now(), options, isQuiet)
    // First what is to be told, then the telling: a crash between the two tells the same, under the same keys.
    await keep(state)
    await send(state)
  }

  async function send(state: State): Promise<void> {
    for (const letter of state.outgoing) await sendOne(letter)
    const sent = { ...state, outgoing: [] }
    if (state.outgoing.length > 0) await keep(sent)
    schedule(sent)
  }

  async function sendOne(letter: Letter): Promise<void> {
    const builders = await host.query.builders()
    const names = new Set(letter.slaves.map(({ name }) => name))
    const idle = builders.filter(({ state, slaves }) => state === 'offline' && slaves.some((name) => names.has(name)))
    const pageOf = (name: string) => host.http.page(`/slaves/${encodeURIComponent(name)}`)
    const facts = { now: host.clock.now(), project: host.query.project(), idle: idle.map(({ name }) => name), pageOf }
    const to = letter.to.map(recipient)
    try {
      await host.notify({
        key: letter.key,
        to,
        thread: `slave ${letter.slaves[0]?.name}`,
        extra: { why: WHY },
        ...write(letter, facts),
      })
    } catch (error) {
      // What can never be told must not keep the rest from being told.
      if (!hasCode(error, 'BOLT_OUTBOX_NOTICE')) throw error
      host.log.error('message about missing slaves refused', { to: letter.to, error })
    }
  }

  return {
    take: (event, change) =>
      inTurn(async () => {
        const state = await read()
        if (event.eventId <= state.eventId) return
        const changed = { ...change(state), eventId: event.eventId }
        await keep(changed)
        schedule(changed)
      }),
    start: () => inTurn(async () => send(await read())),
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  }
}

/** As `notifyOnMissing` names them. */
const recipient = (name: string): Recipient => (name.includes('@') ? { scheme: 'mail', address: name } : { who: name })
