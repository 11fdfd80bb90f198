import type { Clock, Log, SlaveConnection, SlaveDoor, SlaveView } from 'boltbot/plugin-sdk'
import type { Config, SlaveSpec } from './config/model.ts'
import { masterStopping, slaveUnknown } from './errors.ts'
import { type Absences, createAbsences } from './slaves/absences.ts'
import { attachTo } from './slaves/attach.ts'
import { slaveUnasked } from './slaves/errors.ts'
import { noteHeard } from './slaves/heard.ts'
import { createLatents, type Latents } from './slaves/latent/latents.ts'
import { busy, directoriesOf, type Member } from './slaves/member.ts'
import type { Reason } from './slaves/reason.ts'
import { createReleases } from './slaves/releases.ts'
import { createSession, type Session } from './slaves/session.ts'
import { viewOf } from './slaves/view.ts'
import { createWishes } from './slaves/wishes.ts'
import { type Away, type Pause, readSlaves, slaveConnected, slaveLost } from './store/slaves.ts'
import type { Store } from './store/store.ts'

/**
 * Stage 6 of the walk: the slaves, who is attached, who is free for what. A slave is *detached*, *attaching*, *idle*, *pinging*
 * or *building*. A builder has at most one build on a slave, whatever `maxBuilds` says: they would share a directory. A slave
 * being attached or pinged is not free.
 */
export interface SlavePool {
  readonly door: Omit<SlaveDoor, 'registerEngine'>
  registerEngine: Latents['registerEngine']
  /** Takes up what is on record of the slaves: pauses, planned absences, missing clocks. */
  start(): Promise<void>
  /** Slaves that could start a build of this builder now. */
  free(builder: string): readonly string[]
  /** False once it is paused or leaves: a build that was about to begin on it must not. */
  mayBegin(slave: string): boolean
  /** Why none of them is free. */
  whyNoneFree(builder: string): Reason
  /** Takes a place; synchronous, so that two builds cannot have it. Disposing gives it back. */
  reserve(slave: string, builder: string, directory?: string): Reservation
  session(slave: string): Session
  /** True for a latent slave without a link: it has to be started first. */
  mustStart(slave: string): boolean
  /** Starts a latent slave, for this request; nothing for others. @throws CiError `BOLT_SLAVES_NOT_STARTED`. */
  ready(slave: string, request: number): Promise<void> | undefined
  /** Which slave is being started for a builder. */
  beingStarted(builder: string): Reason | undefined
  /** Closes links of slaves that are gone from the config, tells the others their builders if these changed. */
  configure(): Promise<void>
  /** As far as it is known without the store: admin and the like only of those that are connected. */
  view(): readonly SlaveView[]
  /** True when some slave of the builder is attached, or can be started. */
  anyAttached(builder: string): boolean
  /** Gives a slave no builds until it is resumed (`null`). Resolves when stored. */
  pause(slave: string, pause: Pause | null): Promise<void>
  /** Notes that a slave will be away; `null`: no longer. Resolves when stored. */
  plan(slave: string, away: Away | null): Promise<void>
  /** Has a slave finish what it runs and then exit. Resolves when stored. @throws CiError `BOLT_SLAVES_OFFLINE`. */
  release(slave: string, why: string): Promise<void>
  /** Lets starts go that wait for a latent slave. */
  abandonStarts(reason: Error): void
  /** Closes all links. */
  stop(reason: string): Promise<void>
}

export interface Reservation extends Disposable {
  /** The ping was answered: it builds. `label` says what, for `why`. */
  building(label: string): void
  /** True while the slave builds something else as well. */
  isShared(): boolean
}

export interface SlavePoolDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly config: () => Config
  /** The id of this master. */
  readonly master: string
  readonly password: (slave: SlaveSpec) => string | undefined
  /** Something about a slave changed: builders that use it may try again. */
  readonly changed: (slave: string) => void
}

/** How long a stop waits for links to be gone. */
const CLOSE_MS = 5000

export function createSlavePool(deps: SlavePoolDeps): SlavePool {
  const { store, clock, log, config, changed } = deps
  const members = new Map<string, Member>()
  const wishes = createWishes({ store, clock })
  const releases = createReleases({ wishes, log })
  const linkOf = (name: string) => members.get(name)?.session.connection
  const absences: Absences = createAbsences({
    store,
    clock,
    log,
    config,
    isAttached: (name) => linkOf(name) !== undefined,
    awayUntil: (name) => wishes.away(name)?.until ?? 0,
  })
  const latents = createLatents({
    store,
    clock,
    log,
    config,
    master: deps.master,
    changed,
    close(name, reason, hard) {
      const { session } = member(name)
      if (!hard) return void session.connection?.shutdown().catch(() => {}) // its instance is ended all the same
      session.close(reason)
      session.connection?.close(reason)
    },
  })
  const notStored = (slave: string) => (error: unknown) =>
    log.error('what became of a slave is not stored', { slave, error })
  let noting: Disposable | undefined
  let stopping = false

  function member(name: string): Member {
    let known = members.get(name)
    if (known === undefined) {
      const session = createSession({ slave: name, clock, log, leaseMs: () => config().buildLeaseMs })
      known = { name, session, attaching: false, leaving: false, connectedAt: null, told: '', work: new Map() }
      members.set(name, known)
    }
    return known
  }

  const slavesOf = (builder: string) =>
    (config().builders.get(builder)?.slaves ?? []).filter((name) => config().slaves.has(name))

  const busyWith = (name: string, builder: string) =>
    busy(name, members.get(name), builder, { config: config(), wishes, latents, absences })

  /** A link that is let in during the stop would be left open. */
  function mayCome(): void {
    if (stopping) throw masterStopping('it lets no slave in any more')
  }

  async function attach(connection: SlaveConnection): Promise<void> {
    const { slave: name, peer, info } = connection
    mayCome()
    if (!config().slaves.has(name)) throw slaveUnknown(name)
    if (latents.get(name)?.password === undefined && latents.get(name) !== undefined) throw slaveUnasked(name)
    const slave = member(name)
    await attachTo(slave, connection, config, mayCome)
    slave.connectedAt = clock.now()
    absences.came(name)
    latents.get(name)?.attached()
    latents.get(name)?.idle(slave.work.size === 0)
    // Only now: a link that broke on the way must be found broken once it is the slave's link.
    void connection.closed.then((reason) => lost(slave, connection, reason))
    void connection.leaving?.then((why) => {
      if (slave.session.connection === connection) releases.release(slave, why).catch(notStored(name))
    })
    releases.look(slave)
    const notify = config().slaves.get(name)?.notifyOnMissing ?? []
    await slaveConnected(store, { name, peer, info, notify })
    changed(name)
  }

  async function lost(slave: Member, connection: SlaveConnection, reason: string): Promise<void> {
    if (slave.session.connection !== connection) return
    slave.session.detach(connection)
    slave.connectedAt = null
    const { name } = slave
    // A master that stops gives its slaves up, and whoever is gone from the config is not waited for.
    const latent = latents.get(name)
    const expected = !stopping && latent === undefined && config().slaves.has(name)
    latent?.lost(reason, slave.leaving)
    releases.left(slave)
    const at = clock.now()
    if (expected) absences.left(name, at)
    changed(name)
    const lastHeard = connection.lastHeard()
    await slaveLost(store, { name, reason, lastHeard, at, expected }).catch(notStored(name))
  }

  async function tellBuilders(slave: Member): Promise<void> {
    const directories = directoriesOf(config(), slave.name, slave.work)
    const told = JSON.stringify(directories)
    if (slave.told === told || slave.session.connection === undefined) return
    slave.told = told
    await slave.session.connection.setBuilders(directories).catch((error: unknown) => {
      slave.told = ''
      log.warn('slave not told its builders', { slave: slave.name, error })
    })
  }

  return {
    door: {
      password(name) {
        const spec = config().slaves.get(name)
        return spec?.latent ? latents.get(name)?.password : spec && deps.password(spec)
      },
      known: (name) => config().slaves.has(name),
      attach,
    },
    registerEngine: latents.registerEngine,
    async start() {
      const records = await readSlaves(store.db)
      wishes.load(records)
      for (const slave of members.values()) releases.look(slave)
      if (!stopping) await absences.start(records)
      if (!stopping) await latents.start()
      if (stopping) return
      noting = noteHeard({ store, clock, log }, () => {
        const links = [...members.values()].flatMap(({ session }) => session.connection ?? [])
        return new Map(links.map((link) => [link.slave, link.lastHeard()]))
      })
    },
    free: (builder) => slavesOf(builder).filter((name) => busyWith(name, builder) === undefined),
    mayBegin: (name) => wishes.paused(name) === undefined && members.get(name)?.leaving !== true,
    whyNoneFree(builder) {
      const names = slavesOf(builder)
      if (names.length === 0) return { code: 'no-slave', text: `builder ${builder} has no slave` }
      const reasons = names.flatMap((name) => busyWith(name, builder)?.() ?? [])
      const code = reasons.find((reason) => reason.code !== 'slave-offline')?.code ?? 'slave-offline'
      return { code, text: reasons.map((reason) => reason.text).join('; ') }
    },
    reserve(name, builder, directory = config().builders.get(builder)?.builddir ?? '') {
      const slave = member(name)
      const work = { pinging: true, label: builder, directory }
      slave.work.set(builder, work)
      latents.get(name)?.idle(false)
      return {
        building(label) {
          work.pinging = false
          work.label = label
        },
        isShared: () => [...slave.work.values()].some((other) => other !== work && !other.pinging),
        [Symbol.dispose]() {
          if (slave.work.get(builder) !== work) return
          slave.work.delete(builder)
          releases.letGo(slave)
          latents.get(name)?.idle(slave.work.size === 0)
          changed(name)
        },
      }
    },
    session: (name) => member(name).session,
    mustStart: (name) => (latents.get(name)?.state ?? 'attached') !== 'attached',
    ready: (name, request) => latents.get(name)?.substantiate(request),
    beingStarted(builder) {
      const name = slavesOf(builder).find((one) => this.mustStart(one) && members.get(one)?.work.has(builder))
      return name === undefined ? undefined : { code: 'slave-starting', text: `slave ${name} is being started` }
    },
    async configure() {
      for (const slave of members.values()) {
        if (config().slaves.has(slave.name)) await tellBuilders(slave)
        else {
          slave.session.connection?.close('this slave is no longer in the config of the master')
          slave.session.close('it is no longer in the config')
        }
      }
      latents.configure()
      await absences.look()
    },
    view: () =>
      [...config().slaves.values()].map((spec) =>
        viewOf(spec, members.get(spec.name), { config: config(), absences, wishes, latents }),
      ),
    anyAttached: (builder) =>
      slavesOf(builder).some((name) => linkOf(name) !== undefined || latents.get(name) !== undefined),
    async pause(name, pause) {
      await wishes.pause(name, pause)
      changed(name)
    },
    async plan(name, away) {
      await wishes.plan(name, away)
      await absences.look()
      changed(name)
    },
    release: (name, why) => releases.release(member(name), why),
    abandonStarts(reason) {
      releases.stop()
      latents.stop(reason)
    },
    async stop(reason) {
      stopping = true
      noting?.[Symbol.dispose]()
      absences.stop()
      for (const { session } of members.values()) {
        session.close(reason)
        session.connection?.close(reason)
      }
      const links = [...members.values()].flatMap(({ session }) => session.connection ?? [])
      const all = Promise.all(links.map((link) => link.closed))
      // A transport that does not tell that a link is gone must not keep the master from its end.
      const late = Promise.withResolvers<void>()
      using _ = deps.clock.timer(CLOSE_MS, late.resolve)
      await Promise.race([all, late.promise])
    },
  }
}
