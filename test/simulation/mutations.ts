import { registerHooks } from 'node:module'

/** Defects for the simulation to see: where in the core, what stands there, and what is put in its place as it is loaded. */
export const MUTATIONS = {
  /** A master that lost its claim writes all the same. */
  'no-epoch': {
    file: '/core/store/build-end.ts',
    find: /\.where\('id', '=', given\.build\)\s*\.where\('epoch'[\s\S]*?\.where\('state', '=', 'running'\)/,
    put: ".where('id', '=', given.build)",
  },
  /** What was interrupted queues up by its age only. */
  'no-front-requeue': { file: '/core/store/build-end.ts', find: /front: 1,/, put: 'front: 0,' },
  /** A claim of a lock passes those that wait for it. */
  'no-fairness': {
    file: '/core/locks.ts',
    find: /if \(!fits\(need, using\)\)(?= return `lock \$\{name\} wanted)/,
    put: 'if (using.length < 0)',
  },
  /** Durable plugins forget how far they have come. */
  'no-cursor': {
    file: '/core/store/journal.ts',
    find: /return store\.transition\('advanceCursor',/,
    put: "if (event >= 0) return Promise.resolve()\n  return store.transition('advanceCursor',",
  },
  /** A pause is forgotten when the master starts anew. */
  'no-pause-kept': {
    file: '/core/slaves/wishes.ts',
    find: /if \(paused !== null\) pauses\.set/,
    put: 'if (records.size < 0 && paused !== null) pauses.set',
  },
} as const satisfies Readonly<Record<string, Mutation>>

interface Mutation {
  readonly file: string
  readonly find: RegExp
  readonly put: string
}

/** Call it before any of the core is loaded. `check` throws when the core no longer has what was to be changed. */
export function mutate(name: keyof typeof MUTATIONS | undefined): { check(): void } {
  if (name === undefined) return { check() {} }
  const { file, find, put } = MUTATIONS[name]
  let done = false
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (!url.endsWith(file)) return loaded
      const source = String(loaded.source)
      if (!find.test(source)) throw new Error(`The mutation "${name}" does not fit ${file} any more.`)
      done = true
      return { ...loaded, source: source.replace(find, put) }
    },
  })
  return {
    check() {
      if (!done) throw new Error(`The mutation "${name}" was not made: ${file} was not loaded.`)
    },
  }
}
