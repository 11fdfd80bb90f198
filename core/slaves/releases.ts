import { type Log, messageOf, type SlaveConnection } from 'boltbot/plugin-sdk'
import { slaveNotConnected } from './errors.ts'
import type { Member } from './member.ts'
import { agentOf } from './session.ts'
import type { Wishes } from './wishes.ts'

/** Slaves that finish what they run and then exit. The wish is stored: neither a broken link nor a restart of the master ends it. */
export interface Releases {
  /** Resolves when it is stored. @throws CiError `BOLT_SLAVES_OFFLINE`. */
  release(slave: Member, why: string): Promise<void>
  /** A link of the slave is there, or the wishes were read: is it the program that was asked to exit? */
  look(slave: Member): void
  /** It may have nothing to do any more: then it is told to exit. */
  letGo(slave: Member): void
  /** Its link is gone, which is the answer of one that was told to exit. */
  left(slave: Member): void
  /** The master stops: what its slaves run is not over, though nobody waits for it here. */
  stop(): void
}

export function createReleases({ wishes, log }: { readonly wishes: Wishes; readonly log: Log }): Releases {
  /** Of wishes that were made or looked at in this process. */
  const known = new Set<string>()
  let stopped = false

  /** Programs without a mark of their own count as the same over a restart of the master, and as another one when they connect anew. */
  function isTheOne({ name }: Member, link: SlaveConnection, agent: string | null): boolean {
    const mark = agentOf(link)
    return mark === agent && (mark !== null || !known.has(name))
  }

  function forget({ name }: Member): void {
    wishes.release(name, null).catch((error: unknown) => log.error('end of a leave not stored', { slave: name, error }))
  }

  function letGo(slave: Member): void {
    if (!slave.leaving || slave.work.size > 0 || stopped) return
    slave.session.connection
      ?.shutdown()
      .catch((error: unknown) => log.warn('slave not shut down', { slave: slave.name, why: messageOf(error) }))
  }

  return {
    async release(slave, why) {
      const { connection } = slave.session
      if (connection === undefined) throw slaveNotConnected(slave.name)
      if (slave.leaving) return
      slave.leaving = true
      known.add(slave.name)
      log.info('slave leaves when it has finished', { slave: slave.name, why, builds: slave.work.size })
      const stored = wishes.release(slave.name, { why, agent: agentOf(connection) })
      letGo(slave)
      await stored
    },
    look(slave) {
      const { connection } = slave.session
      const wish = wishes.leaving(slave.name)
      slave.leaving = wish !== undefined && connection !== undefined && isTheOne(slave, connection, wish.agent)
      if (wish === undefined || connection === undefined) return
      known.add(slave.name)
      if (slave.leaving) letGo(slave)
      else forget(slave)
    },
    letGo,
    left(slave) {
      if (slave.leaving && slave.work.size === 0 && !stopped) forget(slave)
    },
    stop() {
      stopped = true
    },
  }
}
