import type { CommandIo, SlaveBuilder } from 'boltbot/plugin-sdk'
import type { StockOrder } from './stock-orders.ts'
import type { StockOutcome } from './stock-outcome.ts'
import type { PathStyle } from './stock-paths.ts'

/** What a stock worker says about itself. Its environment is not kept. */
export interface WorkerInfo {
  readonly admin: string | null
  readonly host: string | null
  readonly version: string | null
  readonly basedir: string
  readonly style: PathStyle
  /** Version of each command it knows. */
  readonly commands: ReadonlyMap<string, string>
}

/** A stock worker that has logged in, whatever protocol it speaks. Calls reject with `BOLT_SESSION_LOST` or `BOLT_WORKERS_REFUSED`. */
export interface StockLink {
  readonly slave: string
  readonly peer: string
  readonly info: WorkerInfo
  /** Resolves once, with the reason in words. */
  readonly closed: Promise<string>
  /** What its output lacks, for the log of each build; `null`: nothing. */
  readonly flaw: string | null
  lastHeard(): number
  ping(): Promise<void>
  setBuilders(builders: readonly SlaveBuilder[]): Promise<void>
  startBuild(builder: string): Promise<void>
  start(builder: string, order: StockOrder, io: CommandIo, outcome: StockOutcome): StartedOrder
  shutdown(): Promise<void>
  close(reason: string): void
}

export interface StartedOrder extends Disposable {
  /** Why it failed as a whole, or `null`. Rejects with `BOLT_SESSION_LOST`. */
  readonly done: Promise<string | null>
  interrupt(reason: string): void
}

/** True when the worker's command is of this version or newer. */
export function isAtLeast(info: WorkerInfo, command: string, wanted: string): boolean {
  const version = info.commands.get(command) ?? ''
  const have = version.split('.').map(Number)
  const need = wanted.split('.').map(Number)
  if (version === '' || have.some(Number.isNaN)) return false
  for (const [place, number] of need.entries()) if ((have[place] ?? 0) !== number) return (have[place] ?? 0) > number
  return true
}
