import type { Clock, Log, SlaveConnection, SlaveDoor, SlaveView } from 'boltbot/plugin-sdk'
import type { Config, SlaveSpec } from './config/model.ts'
import { slaveDuplicate, slaveUnknown } from './errors.ts'
import { createSession, type Session } from './slaves/session.ts'
import { slaveConnected, slaveLost } from './store/slaves.ts'
import type { Store } from './store/store.ts'

/**
 * Stage 6 of the walk: the slaves, who is attached, who is free for what. A slave is *detached*, *attaching*, *idle*, *pinging*
 * or *building*. A builder has at most one build on a slave, whatever `maxBuilds` says: they would share a directory. A slave
 * being attached or pinged is not free.
 */
export interface SlavePool {
  readonly door: SlaveDoor
  /** Slaves that could start a build of this builder now. */
  free(builder: string): readonly string[]
  /** Why none of them is free. */
  whyNoneFree(builder: string): { readonly code: string; readonly text: string }
  /** Takes a place; synchronous, so that two builds cannot have it. Disposing gives it back. */
  reserve(slave: string, builder: string): Reservation
  session(slave: string): Session
  /** Closes links of slaves that are gone from the config, tells the others their builders. */
  configure(): Promise<void>
  view(): readonly SlaveView[]
  /** True when some slave of the builder is attached. */
  anyAttached(builder: string): boolean
  /** Closes all links. */
  stop(reason: string): Promise<void>
}

export interface Reservation extends Disposable {
  /** The ping was answered: it builds. `label` says what, for `why`. */
  building(label: string): void
}

export interface SlavePoolDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly config: () => Config
  readonly password: (slave: SlaveSpec) => string | undefined
  /** Something about a slave changed: builders that use it may try again. */
  readonly changed: (slave: string) => void
}

interface Member {
  readonly name: string
  readonly session: Session
  attaching: boolean
  /** By builder: what it does there. */
  readonly work: Map<string, { pinging: boolean; label: string }>
}

export function createSlavePool(deps: SlavePoolDeps): SlavePool {
  const { store, clock, log, config, changed } = deps
  const members = new Map<string, Member>()

  function member(name: string): Member {
    let known = members.get(name)
    if (known === undefined) {
      const session = createSession({ slave: name, clock, log, leaseMs: () => config().buildLeaseMs })
      known = { name, session, attaching: false, work: new Map() }
      members.set(name, known)
    }
    return known
  }

  const slavesOf = (builder: string) =>
    (config().builders.get(builder)?.slaves ?? []).filter((name) => config().slaves.has(name))

  const directories = (slave: string) =>
    [...config().builders.values()]
      .filter((builder) => builder.slaves.includes(slave))
      .map((builder) => ({ name: builder.name, directory: builder.builddir }))

  /** Why a slave cannot take a build of this builder now; `undefined` when it can. */
  function busy(name: string, builder: string): { code: string; text: string } | undefined {
    const slave = members.get(name)
    if (slave?.session.connection === undefined)
      return { code: 'slave-offline', text: `slave ${name} is not connected` }
    if (slave.attaching) return { code: 'slave-attaching', text: `slave ${name} is attaching` }
    const mine = slave.work.get(builder)
    const max = config().slaves.get(name)?.maxBuilds ?? Number.POSITIVE_INFINITY
    if (mine === undefined && slave.work.size < max) return undefined
    const labels = [...(mine === undefined ? slave.work.values() : [mine])].map((work) => work.label)
    return { code: 'slave-busy', text: `slave ${name} busy with ${labels.join(', ')}` }
  }

  async function attach(connection: SlaveConnection): Promise<void> {
    const { slave: name } = connection
    if (!config().slaves.has(name)) throw slaveUnknown(name)
    const slave = member(name)
    for (;;) {
      const older = slave.session.connection
      if (slave.attaching) throw slaveDuplicate(name, older?.peer ?? 'another address')
      if (older === undefined) break
      const alive = await slave.session.ping().then(
        () => true,
        () => false,
      )
      // Meanwhile another one may have come in its place.
      if (slave.session.connection !== older) continue
      if (alive) throw slaveDuplicate(name, older.peer)
      older.close('a newer connection of this slave took its place')
      await older.closed
      slave.session.detach(older)
    }
    slave.attaching = true
    try {
      let told: Config
      do {
        told = config()
        await connection.setBuilders(directories(name))
      } while (told !== config())
      if (!told.slaves.has(name)) throw slaveUnknown(name)
      slave.session.attach(connection)
    } finally {
      slave.attaching = false
    }
    // Only now: a link that broke on the way must be found broken once it is the slave's link.
    void connection.closed.then((reason) => lost(slave, connection, reason))
    await slaveConnected(store, name, connection.peer, connection.info)
    changed(name)
  }

  async function lost(slave: Member, connection: SlaveConnection, reason: string): Promise<void> {
    if (slave.session.connection !== connection) return
    slave.session.detach(connection)
    changed(slave.name)
    await slaveLost(store, slave.name, reason).catch((error: unknown) =>
      log.error('loss of a slave not stored', { slave: slave.name, error }),
    )
  }

  return {
    door: {
      password(name) {
        const spec = config().slaves.get(name)
        return spec && deps.password(spec)
      },
      known: (name) => config().slaves.has(name),
      attach,
    },
    free: (builder) => slavesOf(builder).filter((name) => busy(name, builder) === undefined),
    whyNoneFree(builder) {
      const names = slavesOf(builder)
      if (names.length === 0) return { code: 'no-slave', text: `builder ${builder} has no slave` }
      const reasons = names.flatMap((name) => busy(name, builder) ?? [])
      const code = reasons.find((reason) => reason.code !== 'slave-offline')?.code ?? 'slave-offline'
      return { code, text: reasons.map((reason) => reason.text).join('; ') }
    },
    reserve(name, builder) {
      const slave = member(name)
      const work = { pinging: true, label: `${builder} (starting)` }
      slave.work.set(builder, work)
      return {
        building(label) {
          work.pinging = false
          work.label = label
        },
        [Symbol.dispose]() {
          if (slave.work.get(builder) !== work) return
          slave.work.delete(builder)
          changed(name)
        },
      }
    },
    session: (name) => member(name).session,
    async configure() {
      for (const slave of members.values()) {
        const { connection } = slave.session
        if (!config().slaves.has(slave.name)) {
          connection?.close('this slave is no longer in the config of the master')
          slave.session.close('it is no longer in the config')
        } else {
          await connection
            ?.setBuilders(directories(slave.name))
            .catch((error: unknown) => log.warn('slave not told its builders', { slave: slave.name, error }))
        }
      }
    },
    view() {
      return [...config().slaves.values()].map((spec) => {
        const slave = members.get(spec.name)
        const connection = slave?.session.connection
        const work = [...(slave?.work.values() ?? [])]
        return {
          name: spec.name,
          state:
            connection === undefined
              ? 'detached'
              : slave?.attaching
                ? 'attaching'
                : work.length === 0
                  ? 'idle'
                  : work.every((item) => item.pinging)
                    ? 'pinging'
                    : 'building',
          builds: work.length,
          maxBuilds: spec.maxBuilds,
          builders: [...config().builders.values()].filter((b) => b.slaves.includes(spec.name)).map((b) => b.name),
          admin: connection?.info.admin ?? null,
          host: connection?.info.host ?? null,
          lastHeard: connection?.lastHeard() ?? null,
        } satisfies SlaveView
      })
    },
    anyAttached: (builder) => slavesOf(builder).some((name) => members.get(name)?.session.connection !== undefined),
    async stop(reason) {
      for (const slave of members.values()) {
        slave.session.close(reason)
        slave.session.connection?.close(reason)
        await slave.session.connection?.closed
      }
    },
  }
}
