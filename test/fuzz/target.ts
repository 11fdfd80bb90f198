export interface Target {
  readonly name: string
  /** One input. Throws when the codec did something it must never do. */
  run(chance: () => number): void
}

export const pick = <T>(list: readonly T[], chance: () => number): T => list[Math.floor(chance() * list.length)]!

/** Runs something that may fail in one way only. */
export function expectOnly(name: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Error) || error.name !== name) throw error
  }
}
