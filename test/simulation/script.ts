import type { CommandId } from 'boltbot/plugin-sdk'
import type { FakeClock, ScriptedAnswer, ScriptedCommand, ScriptedResult } from 'boltbot/plugin-sdk/testing'
import type { Chance } from './chance.ts'

/** What commands do on all slaves of a simulation, and a record of every byte they wrote. */
export interface Script {
  readonly answers: readonly ScriptedAnswer[]
  /** All that the commands of a step wrote, in order; by build, epoch and step. */
  written(id: Omit<CommandId, 'index'>): string
  /** From now on nothing hangs, and what hung ends. */
  calm(): void
  /** Ends what hangs now. */
  release(): void
}

const INTERRUPTED: ScriptedResult = { exitCode: null, signal: 'SIGTERM', cause: 'interrupted' }

export function createScript(chance: Chance, clock: FakeClock, touched: () => void): Script {
  const writings = new Map<string, string>()
  const hanging = new Set<() => void>()
  let isCalm = false

  async function hang(signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>()
    hanging.add(over.resolve)
    signal.addEventListener('abort', () => over.resolve(), { once: true })
    await over.promise
    hanging.delete(over.resolve)
  }

  async function run({ id, signal, print, drop }: ScriptedCommand): Promise<ScriptedResult | undefined> {
    touched()
    const lines = chance.between(0, 3)
    const pace = chance.pick([0, 0, 300, 5000, 20_000])
    const result = chance.weighted([[8, 0] as const, [1, 1] as const, [1, 2] as const])
    const hangs = chance.often(0.06) && !isCalm
    const drops = chance.often(0.05) && !isCalm
    for (let line = 0; line < lines; line++) {
      if (pace > 0) await clock.sleep(chance.between(1, pace), signal).catch(() => {})
      if (signal.aborted) return INTERRUPTED
      const text = `${keyOf(id)}.${id.index} line ${line}\n`
      writings.set(keyOf(id), (writings.get(keyOf(id)) ?? '') + text)
      await print(text)
      touched()
      if (drops && line === 0 && !isCalm) drop('dropped while it printed')
    }
    if (hangs && !isCalm) await hang(signal)
    touched()
    return signal.aborted ? INTERRUPTED : result
  }

  const release = () => {
    for (const end of [...hanging]) end()
  }
  return {
    answers: [{ run }],
    written: (id) => writings.get(keyOf(id)) ?? '',
    calm() {
      isCalm = true
      release()
    },
    release,
  }
}

const keyOf = ({ build, epoch, step }: Omit<CommandId, 'index'>) => `${build}.${epoch}.${step}`
