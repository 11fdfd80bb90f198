import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BuildFinished,
  type Clock,
  definePlugin,
  type HookEvent,
  type StoredHook,
  type Stream,
} from 'boltbot/plugin-sdk'
import { createMemoryLog, createSeededRandom, type MemoryLog, until } from 'boltbot/plugin-sdk/testing'
import { createClock } from '../../../core/clock.ts'
import { createMaster } from '../../../core/master.ts'
import type { Master } from '../../../core/master-api.ts'
import { createRedactor } from '../../../core/redact.ts'
import { createMemoryLogStore } from '../../../core/store/logs/memory-log-store.ts'
import { openSqliteStore } from '../../../core/store/open.ts'
import { checked } from '../../rig/checked.ts'
import type { RigOptions } from '../../rig/rig.ts'

/** A whole master in this process, in real time: for programs that connect to it. */
export interface LiveMaster extends AsyncDisposable {
  readonly master: Master
  readonly log: MemoryLog
  readonly events: readonly LiveEvent[]
  /** The next event of a hook that fits, also one that has been. */
  event<Name extends StoredHook>(
    name: Name,
    fits?: (event: HookEvent<Name>) => boolean,
    deadline?: number,
  ): Promise<HookEvent<Name>>
  /** Forces a build and waits for its end. */
  build(builder: string, deadline?: number): Promise<BuildFinished>
  /** All text of a log, by stream. */
  text(build: number, step: number, stream?: Stream | 'all', log?: string): Promise<string>
  reconfigure(options: RigOptions): Promise<void>
}

export interface LiveEvent {
  readonly name: StoredHook
  readonly event: object
}

const OBSERVED = [
  'changeAccepted',
  'buildsetCreated',
  'buildStarted',
  'stepFinished',
  'buildFinished',
  'buildsetFinished',
  'slaveConnected',
  'slaveLost',
] as const satisfies readonly StoredHook[]

export async function startLiveMaster(
  options: RigOptions,
  given: { readonly clock?: Clock } = {},
): Promise<LiveMaster> {
  const log = createMemoryLog()
  const clock = given.clock ?? createClock(log)
  const basedir = await mkdtemp(join(tmpdir(), 'boltbot-live-'))
  const events: LiveEvent[] = []
  const recorder = definePlugin({
    name: 'live/recorder',
    kind: 'status',
    apply(host) {
      for (const name of OBSERVED) host.tap(name, (event) => void events.push({ name, event }))
    },
  })
  const config = (given: RigOptions) =>
    checked({ ...given, transports: given.transports ?? [], plugins: [...(given.plugins ?? []), recorder()] })
  const redactor = createRedactor()
  const master = await createMaster({
    config: config(options),
    basedir,
    clock,
    random: createSeededRandom(1),
    log,
    store: await openSqliteStore({ file: ':memory:', clock, log }),
    logStore: createMemoryLogStore(),
    secrets: { resolve: (value) => (typeof value === 'string' ? value : `secret ${value.name}`) },
    redact: (text) => text,
    redactor: () => redactor.stream(),
    hide: redactor.add,
  })
  await master.start()

  const live: LiveMaster = {
    master,
    log,
    events,
    event: (name, fits = () => true, deadline = 20_000) =>
      until(() => events.find((one) => one.name === name && fits(one.event as never))?.event as never, {
        what: `the event ${name}`,
        deadline,
        seen: () => `${events.map((one) => `${one.name} ${JSON.stringify(one.event)}`).join('\n')}\n${log.text()}`,
      }),
    async build(builder, deadline) {
      const { requests } = await master.force({ builder, who: 'joe', reason: 'test' }, 'test')
      return live.event('buildFinished', (event) => event.requests.some((id) => requests.includes(id)), deadline)
    },
    async text(build, step, stream = 'stdout', name = 'stdio') {
      const parts: Buffer[] = []
      for (let from = 0; ; ) {
        const part = await master.readLog({ build, step, log: name }, from)
        for (const piece of part.pieces)
          if (stream === 'all' || piece.stream === stream) parts.push(Buffer.from(piece.data))
        if (part.pieces.length === 0) return Buffer.concat(parts).toString()
        from = part.next
      }
    },
    async reconfigure(next) {
      await master.reconfigure(config(next), { who: 'test', via: 'test' })
    },
    async [Symbol.asyncDispose]() {
      await master.stop()
      await rm(basedir, { recursive: true, force: true })
    },
  }
  return live
}
