import type { SlaveConnection } from 'boltbot/plugin-sdk'
import type { Config } from '../config/model.ts'
import { slaveDuplicate, slaveUnknown } from '../errors.ts'
import { directoriesOf, type Member } from './member.ts'

/**
 * Makes a connection the link of its slave, once the slave knows its builders. An older link that still answers keeps its place: then
 * two machines have one name. One that does not is closed.
 * @throws CiError `BOLT_SLAVES_UNKNOWN`, `BOLT_SLAVES_DUPLICATE`, and what `mayCome` throws in the last moment.
 */
export async function attachTo(
  slave: Member,
  connection: SlaveConnection,
  config: () => Config,
  mayCome: () => void,
): Promise<void> {
  const { name } = slave
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
    let now: Config
    do {
      now = config()
      const directories = directoriesOf(now, name, slave.work)
      await connection.setBuilders(directories)
      slave.told = JSON.stringify(directories)
    } while (now !== config())
    mayCome()
    if (!now.slaves.has(name)) throw slaveUnknown(name)
    slave.session.attach(connection)
  } finally {
    slave.attaching = false
  }
}
