import type { Config } from '../config/model.ts'
import { scopesOn } from '../locks/lock-scopes.ts'
import type { LockNeed } from '../locks.ts'

/** What the config in force says of builders and slaves together, worked out once: an event of one slave must not cost a look at all. */
export interface BuilderIndex {
  /** Builders that may run on a slave. */
  buildersOf(slave: string): readonly string[]
  /** What a build of the builder needs before it starts on the slave. */
  needsOn(builder: string, slave: string): readonly LockNeed[]
}

interface Index {
  readonly of: Config
  readonly bySlave: ReadonlyMap<string, readonly string[]>
  /** By builder, then slave; as they are asked for, where there are locks. */
  readonly needs: Map<string, Map<string, readonly LockNeed[]>>
}

export function createBuilderIndex(config: () => Config): BuilderIndex {
  let index: Index | undefined

  function current(): Index {
    const of = config()
    if (index?.of !== of) index = { of, bySlave: buildersBySlave(of), needs: new Map() }
    return index
  }

  return {
    buildersOf: (slave) => current().bySlave.get(slave) ?? [],
    needsOn(builder, slave) {
      const { of, needs } = current()
      const locks = [...(of.builders.get(builder)?.locks ?? []), ...(of.slaves.get(slave)?.locks ?? [])]
      if (locks.length === 0) return []
      const bySlave = needs.getOrInsertComputed(builder, () => new Map())
      return bySlave.getOrInsertComputed(slave, () => scopesOn(slave, locks))
    },
  }
}

function buildersBySlave({ builders }: Config): ReadonlyMap<string, readonly string[]> {
  const bySlave = new Map<string, string[]>()
  for (const builder of builders.values()) {
    for (const slave of builder.slaves) bySlave.getOrInsertComputed(slave, () => []).push(builder.name)
  }
  return bySlave
}
