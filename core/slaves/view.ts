import type { SlaveView } from 'boltbot/plugin-sdk'
import type { Config, SlaveSpec } from '../config/model.ts'
import type { Absences } from './absences.ts'
import type { LatentSlave } from './latent/latent-slave.ts'
import type { Latents } from './latent/latents.ts'
import { directoriesOf, type Member } from './member.ts'
import type { Wishes } from './wishes.ts'

/** A slave as far as it is known without the store: admin and the like only of those that are connected. */
export function viewOf(
  { name, maxBuilds, notifyOnMissing, latent }: SlaveSpec,
  slave: Member | undefined,
  pool: {
    readonly config: Config
    readonly absences: Absences
    readonly wishes: Wishes
    readonly latents: Latents
  },
): SlaveView {
  const connection = slave?.session.connection
  const absence = pool.absences.of(name)
  return {
    name,
    state: stateOf(slave, pool.latents.get(name)),
    latent: latent !== null,
    builds: slave?.work.size ?? 0,
    maxBuilds,
    builders: directoriesOf(pool.config, name).map((builder) => builder.name),
    admin: connection?.info.admin ?? null,
    host: connection?.info.host ?? null,
    version: connection?.info.version ?? null,
    lastHeard: connection?.lastHeard() ?? null,
    connectedAt: connection === undefined ? null : (slave?.connectedAt ?? null),
    absentSince: absence?.since ?? null,
    missing: absence?.missing ?? false,
    paused: pool.wishes.paused(name) ?? null,
    away: pool.wishes.away(name) ?? null,
    leaving: connection !== undefined && slave?.leaving === true,
    notifyOnMissing,
  }
}

function stateOf(slave: Member | undefined, latent: LatentSlave | undefined): SlaveView['state'] {
  if (latent !== undefined && latent.state !== 'attached') return latent.state
  if (slave?.session.connection === undefined) return 'detached'
  if (slave.attaching) return 'attaching'
  const work = [...slave.work.values()]
  if (work.length === 0) return 'idle'
  return work.every((item) => item.pinging) ? 'pinging' : 'building'
}
