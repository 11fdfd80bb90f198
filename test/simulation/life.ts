/**
 * Whether a simulated master process lives. A *frozen* one does nothing until it is thawed, as after SIGSTOP; a *dead* one does
 * nothing ever again, as after SIGKILL.
 */
export interface Life {
  readonly state: 'alive' | 'frozen' | 'dead'
  /** `undefined` while it is alive; else resolves when it is thawed, and never when it is dead. */
  gate(): Promise<void> | undefined
  /** Runs `work` now, when it is thawed, or never. */
  whenAlive(work: () => void): void
  freeze(): void
  thaw(): void
  die(): void
  /** Called once, at death. */
  onDeath(told: () => void): void
}

export function createLife(): Life {
  let state: Life['state'] = 'alive'
  let deferred: (() => void)[] = []
  const mourners: (() => void)[] = []
  const life: Life = {
    get state() {
      return state
    },
    gate: () => (state === 'alive' ? undefined : new Promise((resolve) => life.whenAlive(resolve))),
    whenAlive(work) {
      if (state === 'alive') work()
      else if (state === 'frozen') deferred.push(work)
    },
    freeze() {
      if (state === 'alive') state = 'frozen'
    },
    thaw() {
      if (state !== 'frozen') return
      state = 'alive'
      for (const work of deferred.splice(0)) life.whenAlive(work)
    },
    die() {
      if (state === 'dead') return
      state = 'dead'
      deferred = []
      for (const told of mourners) told()
    },
    onDeath: (told) => void mourners.push(told),
  }
  return life
}

/** The methods of `target`, each only while its process lives: asked and answered. */
export function mortal<T extends object>(target: T, life: Life, touched: () => void = () => {}): T {
  const guard =
    (member: (...args: unknown[]) => unknown) =>
    async (...args: unknown[]) => {
      touched()
      await life.gate()
      try {
        return await Reflect.apply(member, target, args)
      } finally {
        touched()
        await life.gate()
      }
    }
  const members = Object.entries(target).map(([key, member]) => [key, guard(member as () => unknown)])
  return Object.fromEntries(members) as T // all members of such targets are async methods
}
