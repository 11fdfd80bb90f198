import type { Config } from '../config/model.ts'
import type { Absences } from './absences.ts'
import type { Latents } from './latent/latents.ts'
import type { Reason } from './reason.ts'
import type { Session } from './session.ts'
import type { Wishes } from './wishes.ts'

/** One slave as the pool has it in memory. */
export interface Member {
  readonly name: string
  readonly session: Session
  attaching: boolean
  /** It finishes what it runs and then exits. */
  leaving: boolean
  connectedAt: number | null
  /** The builders it was last told of, as JSON. */
  told: string
  /** By builder: what it does there. */
  readonly work: Map<string, { pinging: boolean; label: string; readonly directory: string }>
}

interface BusyDeps {
  readonly config: Config
  readonly wishes: Wishes
  readonly latents: Latents
  readonly absences: Pick<Absences, 'of'>
}

/** Why a slave cannot take a build of this builder now; `undefined` when it can. Put into words only for those who want to know. */
export function busy(
  name: string,
  slave: Member | undefined,
  builder: string,
  { config, wishes, latents, absences }: BusyDeps,
): (() => Reason) | undefined {
  const paused = wishes.paused(name)
  if (paused !== undefined)
    return () => {
      const { by, at, reason } = paused
      return { code: 'slave-paused', text: `slave ${name} is paused by ${by} since ${isoTime(at)}${because(reason)}` }
    }
  const latent = latents.get(name)
  if (latent !== undefined && latent.state !== 'attached') {
    const blocked = latents.blocked(name)
    if (blocked !== undefined) return () => blocked
    if (slave?.work.has(builder)) return () => ({ code: 'slave-starting', text: `slave ${name} is being started` })
  } else if (slave?.session.connection === undefined) {
    const away = wishes.away(name)
    if (away !== undefined) {
      const { until, reason } = away
      return () => ({ code: 'slave-away', text: `slave ${name} is away until ${isoTime(until)}${because(reason)}` })
    }
    return () => {
      const since = absences.of(name)?.since
      const when = since === undefined ? '' : ` since ${isoTime(since)}`
      return { code: 'slave-offline', text: `slave ${name} is not connected${when}` }
    }
  }
  if (slave === undefined) return undefined
  if (slave.attaching) return () => ({ code: 'slave-attaching', text: `slave ${name} is attaching` })
  if (slave.leaving) return () => ({ code: 'slave-leaving', text: `slave ${name} finishes what it runs and exits` })
  const mine = slave.work.get(builder)
  const max = config.slaves.get(name)?.maxBuilds ?? Number.POSITIVE_INFINITY
  if (mine === undefined && slave.work.size < max) return undefined
  return () => {
    const labels = [...(mine === undefined ? slave.work.values() : [mine])].map((work) => work.label)
    return { code: 'slave-busy', text: `slave ${name} busy with ${labels.join(', ')}` }
  }
}

/** The builders of a slave, and their directories there; also of builds that go on though their builder is gone from the config. */
export function directoriesOf(config: Config, slave: string, work: Member['work'] = new Map()) {
  const own = [...config.builders.values()].filter((builder) => builder.slaves.includes(slave))
  const names = new Set(own.map((builder) => builder.name))
  return [
    ...own.map((builder) => ({ name: builder.name, directory: builder.builddir })),
    ...[...work].filter(([name]) => !names.has(name)).map(([name, { directory }]) => ({ name, directory })),
  ]
}

const isoTime = (at: number) => new Date(at).toISOString()
const because = (reason: string) => (reason === '' ? '' : `: ${reason}`)
