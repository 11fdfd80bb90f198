import { definePlugin, HOOK_KINDS, type HookEvent, type SlaveDoor, type StoredHook } from 'boltbot/plugin-sdk'
import type { Chance } from './chance.ts'
import type { Probes } from './plan.ts'
import type { Verdict } from './verdict.ts'

/** Every stored hook. */
const STORED = Object.entries(HOOK_KINDS)
  .filter(([name, kind]) => kind === 'observe' && name !== 'logAppended')
  .map(([name]) => name as StoredHook)

/** What durable plugins of all processes of a simulation were told. */
export interface DurableRecord {
  told(eventId: number): void
  /** @param ids every event there was, in order. */
  settle(ids: readonly number[]): void
}

export function createDurableRecord({ broken }: Verdict, idsBefore: (id: number) => Iterable<number>): DurableRecord {
  const told = new Set<number>()
  return {
    told(eventId) {
      if (told.has(eventId)) return
      for (const before of idsBefore(eventId)) {
        if (!told.has(before))
          return broken('durable plugins miss nothing, in order', `event ${eventId} was told and ${before} was not`)
      }
      told.add(eventId)
    },
    settle(ids) {
      const missed = ids.filter((id) => !told.has(id))
      if (missed.length > 0) broken('durable plugins miss nothing, in order', `never told: ${missed.slice(0, 10)}`)
    },
  }
}

export interface ProbesDeps {
  readonly chance: Chance
  readonly verdict: Verdict
  readonly durable: DurableRecord
  /** Durable taps fail now and then, while this says so. */
  readonly mayFail: () => boolean
}

/** The plugins of one process: how slaves come in, and who listens. */
export function createProbes({ chance, verdict, durable, mayFail }: ProbesDeps) {
  let door: SlaveDoor | undefined
  const seen = new Set<number>()
  let last = 0
  const transport = definePlugin({
    name: 'simulation/slaves',
    kind: 'slave',
    needs: ['slaves'],
    apply(host) {
      door = host.slaves
    },
  })
  const observer = definePlugin({
    name: 'simulation/observer',
    kind: 'status',
    apply(host, _options: { readonly edition: number }) {
      const told = ({ eventId }: HookEvent<StoredHook>) => {
        if (seen.has(eventId)) verdict.broken('observers are told at most once', `event ${eventId} twice`)
        if (eventId < last) verdict.broken('observers are told at most once', `event ${eventId} after ${last}`)
        seen.add(eventId)
        last = eventId
      }
      for (const name of STORED) host.tap(name, told)
    },
  })
  const recorder = definePlugin({
    name: 'simulation/recorder',
    kind: 'status',
    durable: true,
    apply(host, _options: { readonly edition: number }) {
      const tell = ({ eventId }: HookEvent<StoredHook>) => {
        if (mayFail() && chance.often(0.03)) throw new Error('simulated failure of a durable tap')
        durable.told(eventId)
      }
      for (const name of STORED) host.tap(name, tell)
    },
  })
  const probes: Probes = (edition) => [observer({ edition }), recorder({ edition })]
  const failing = definePlugin({
    name: 'simulation/failing',
    kind: 'status',
    apply() {},
    start() {
      throw new Error('simulated failure of a start')
    },
  })
  const probesThatFail: Probes = (edition) => [...probes(edition), failing()]
  return { transport, probes, probesThatFail, door: () => door }
}
