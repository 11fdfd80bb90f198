import type { Fault } from './mortal-store.ts'

/** What is going to go wrong with transitions of the newest process. */
export interface Faults {
  /** For each transition, before it is asked for. */
  next(name: string): Fault
  /** The next transition of this name is refused; of any name when left out. */
  refuse(name?: string): void
  /** The process dies at a transition to come: `countdown` others are done before. */
  dieAt(countdown: number, when: 'die before' | 'die after'): void
  /** A read of the newest process fails: `countdown` others are answered before. */
  refuseRead(countdown: number): void
  /** For each read of the newest process: whether it fails. */
  nextRead(): boolean
  /** Does something with reads that do not fail. */
  sparing<T>(work: () => Promise<T>): Promise<T>
  clear(): void
  /** How often a transition was refused. */
  readonly refused: number
}

/** Transitions that may be refused. A lock that is given back in memory and not in the store is gone with its build. */
export const REFUSABLE = [
  'acceptChange',
  'createBuildset',
  'saveDecision',
  'openScheduler',
  'startBuild',
  'startStep',
  'finishStep',
  'finishBuild',
  'holdForStep',
  'cancelRequest',
  'slaveConnected',
  'slaveLost',
  'advanceCursor',
  'keepCursors',
  'keepSchedulers',
  'configApplied',
  'renewLeases',
  'saveWhyNots',
]

export function createFaults(note: (line: string) => void): Faults {
  let refusals: string[] = []
  let death: { left: number; readonly when: 'die before' | 'die after' } | undefined
  let refused = 0
  let readsLeft: number | undefined
  let spared = false
  return {
    next(name) {
      const at = refusals.indexOf(name)
      if (at !== -1) {
        refusals.splice(at, 1)
        refused++
        note(`refused: ${name}`)
        return 'refuse'
      }
      if (death === undefined || death.left-- > 0) return undefined
      const { when } = death
      death = undefined
      note(`${when} ${name}`)
      return when
    },
    refuse: (name = '') => void refusals.push(name),
    dieAt(left, when) {
      death = { left, when }
    },
    refuseRead(countdown) {
      readsLeft = countdown
    },
    nextRead() {
      if (spared || readsLeft === undefined || readsLeft-- > 0) return false
      readsLeft = undefined
      note('a read fails')
      return true
    },
    async sparing(work) {
      spared = true
      try {
        return await work()
      } finally {
        spared = false
      }
    },
    clear() {
      refusals = []
      readsLeft = undefined
      death = undefined
    },
    get refused() {
      return refused
    },
  }
}
