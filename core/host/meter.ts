import { getHeapStatistics } from 'node:v8'

/** What a call kept from everybody else before it gave the event loop back. */
export interface Took {
  readonly ms: number
  /** By which it grew the memory of the process. */
  readonly bytes: number
}

/** Measures calls, one at a time: those of all plugins of a master. */
export interface Meter {
  /** Gives the time. Real time: a tap that computes stands still in any other. */
  begin(): number
  /** What the call that began then took of the memory. */
  grown(): number
}

const SAMPLE_MS = 1000

export function createMeter(): Meter {
  let held = 0
  let sampledAt = Number.NEGATIVE_INFINITY
  return {
    begin() {
      const now = performance.now()
      if (now - sampledAt > SAMPLE_MS) {
        held = memory()
        sampledAt = now
      }
      return now
    },
    grown: () => memory() - held,
  }
}

function memory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}
