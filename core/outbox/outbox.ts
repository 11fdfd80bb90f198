import { createHash } from 'node:crypto'
import type { Carrier, Clock, Log, Notice, Notified, Random } from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'
import { masterOf } from '../store/meta.ts'
import { type Claimed, dropMessage, enqueue, reroute, retryMessage, takeBack } from '../store/outbox.ts'
import type { Lane as LaneFilter } from '../store/outbox-rows.ts'
import { type OutboxFilter, type OutboxView, readOutbox, waitingSchemes } from '../store/outbox-views.ts'
import type { Store } from '../store/store.ts'
import { messageUnknown, noCarrier } from './errors.ts'
import { createLane, type Lane } from './lane.ts'
import { completeNotice } from './notice.ts'

/** Messages to people: stored first, then brought by carriers until they are taken. */
export interface Outbox {
  /** @throws CiError `BOLT_OUTBOX_NOTICE`. */
  notify(plugin: string, notice: Notice): Promise<Notified>
  register(plugin: string, carrier: Carrier): AsyncDisposable
  /** The carriers of the config are all there: they begin, and messages for one that is not there go another way. */
  settle(): Promise<void>
  list(filter: OutboxFilter): Promise<readonly OutboxView[]>
  /** Sends a test message, and resolves with how its first try ended, or after a minute with how it stands. */
  probe(address: string, who: string): Promise<OutboxView>
  /** Tries a message now, also one that is dead. @throws CiError `BOLT_OUTBOX_UNKNOWN`. */
  retry(id: number): Promise<void>
  /** Does not send a message any more. @throws CiError `BOLT_OUTBOX_UNKNOWN`. */
  drop(id: number, order: { readonly who: string; readonly reason: string }): Promise<void>
}

export interface OutboxDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** This process; messages of other masters have other refs. */
  readonly owner: string
  readonly config: () => Pick<Config, 'outbox' | 'projectName'>
  readonly redact: (text: string) => string
}

/** Tells of dead letters. */
const SELF = 'outbox'

export function createOutbox(deps: OutboxDeps): Outbox {
  const { store, log, owner } = deps
  const lanes: { readonly plugin: string; readonly lane: Lane }[] = []
  /** Schemes of messages that nobody carries. */
  const missed = new Set<string>()
  let open = false

  function filterOf(plugin: string, scheme: string): LaneFilter {
    const owners = lanes.filter(({ lane }) => lane.carrier.scheme === scheme).map((one) => one.plugin)
    if (owners[0] !== plugin) return { scheme, sources: { only: plugin } }
    return { scheme, sources: { but: owners.slice(1) } }
  }

  function wake(scheme?: string): void {
    for (const { lane } of lanes) if (scheme === undefined || lane.carrier.scheme === scheme) lane.wake()
  }

  function refOf({ message: { source, key } }: Claimed): string {
    return createHash('sha256')
      .update(JSON.stringify([masterOf(owner), source, key]))
      .digest('hex')
      .slice(0, 32)
  }

  /** The admins are told once for each dead letter; when that letter was for them already, the log has to do. */
  async function buried({ row, message }: Claimed, reason: string): Promise<void> {
    const { admins } = deps.config().outbox
    if (row.source === SELF || admins.length === 0) return
    const to = row.address ?? row.recipient
    const text = [
      `This message could not be delivered, and will not be tried again:`,
      '',
      `  number:   ${row.id}`,
      `  from:     ${row.source}`,
      `  to:       ${to} (${row.scheme})`,
      `  subject:  ${message.subject}`,
      `  reason:   ${reason}`,
      '',
      'When the cause is gone, send it again, or drop it:',
      '',
      `  boltbot outbox retry ${row.id}`,
      `  boltbot outbox drop ${row.id}`,
      '',
    ].join('\n')
    const about = { key: `dead:${row.id}:${row.attempts}`, subject: `Message to ${to} could not be delivered`, text }
    await notify(SELF, { ...about, to: admins.map((address) => ({ scheme: 'mail', address })) })
  }

  async function notify(plugin: string, notice: Notice): Promise<Notified> {
    const complete = completeNotice(plugin, notice, deps.redact, (scheme) =>
      lanes.some(({ lane }) => lane.carrier.scheme === scheme),
    )
    // A lane may look when it is committed: what it marks as in hand is durable only after the message is.
    const queued = await enqueue(store, notice.group ?? plugin, complete, { committed: () => wake(), patient: true })
    if (open) for (const { schemes } of complete.to) missCarrier(schemes[0])
    return { queued }
  }

  /** Says once for each scheme that nobody carries it: what was told waits until somebody does. */
  function missCarrier(scheme: string): void {
    if (missed.has(scheme) || lanes.some(({ lane }) => lane.carrier.scheme === scheme)) return
    missed.add(scheme)
    const hint = scheme === 'mail' ? 'Give a mailServer or a mailNotifier in "status".' : undefined
    log.warn('messages wait, no plugin of the config carries them', { scheme, hint })
  }

  return {
    notify,
    register(plugin, carrier) {
      const lane = createLane(carrier, {
        ...deps,
        filter: () => filterOf(plugin, carrier.scheme),
        budget: () => deps.config().outbox.budget,
        giveUpMs: () => deps.config().outbox.giveUpMs,
        refOf,
        buried,
        passedOn: wake,
      })
      const entry = { plugin, lane }
      lanes.push(entry)
      if (open) lane.begin()
      return {
        async [Symbol.asyncDispose]() {
          await lane[Symbol.asyncDispose]()
          lanes.splice(lanes.indexOf(entry), 1)
          wake(carrier.scheme)
        },
      }
    },
    async settle() {
      if (!open) {
        const count = await takeBack(store)
        if (count > 0) log.warn('messages were in hand when the master died, they may come twice', { count })
      }
      await reroute(store, [...new Set(lanes.map(({ lane }) => lane.carrier.scheme))])
      open = true
      for (const { lane } of lanes) lane.begin()
      missed.clear()
      for (const scheme of await waitingSchemes(store)) missCarrier(scheme)
      wake()
    },
    list: (filter) => readOutbox(store, filter),
    async probe(address, who) {
      if (!lanes.some(({ lane }) => lane.carrier.scheme === 'mail')) throw noCarrier('mail')
      const { projectName } = deps.config()
      const key = `probe:${store.now()}:${Math.floor(deps.random.next() * 1e9)}`
      const text = `${who} asked the master of ${projectName} for this test. It arrived.\n`
      const to = [{ scheme: 'mail', address }]
      await notify(SELF, { key, to, subject: `Test from ${projectName}`, text, urgency: 'high' })
      for (let tries = 0; ; tries++) {
        const [found] = await readOutbox(store, { key, limit: 1 })
        const isTried = found!.error !== null || !['waiting', 'sending'].includes(found!.state)
        if (isTried || tries > 300) return found!
        await deps.clock.sleep(200)
      }
    },
    async retry(id) {
      if (!(await retryMessage(store, id))) throw messageUnknown(id, 'tried again')
      for (const { lane } of lanes) lane.hurry()
    },
    async drop(id, { who, reason }) {
      if (!(await dropMessage(store, id, `dropped by ${who}${reason === '' ? '' : `: ${reason}`}`)))
        throw messageUnknown(id, 'dropped')
      log.info('message dropped', { id, who, reason })
      wake()
    },
  }
}
