import type { BuilderView, BuildView, Query, Result } from 'boltbot/plugin-sdk'
import { nothingRuns, unknownName, wrongUsage } from './errors.ts'

/** Finds what people name. */
export interface Finder {
  /** @throws CiError `BOLT_CHAT_NAME` with the nearest name; `BOLT_CHAT_USAGE` without a word. */
  builder(word: string | undefined, usage?: string): Promise<BuilderView>
  slave(word: string | undefined, usage: string): Promise<string>
  /** The running build that started last. @throws CiError `BOLT_CHAT_NOTHING_RUNS`. */
  running(builder: string): Promise<BuildView>
}

export function createFinder(query: Query): Finder {
  return {
    async builder(word, usage = 'BUILDER') {
      if (word === undefined) throw wrongUsage(usage)
      const all = await query.builders()
      const found = all.find(({ name }) => name === word) ?? onlyOne(all.filter(({ name }) => same(name, word)))
      if (found === undefined)
        throw unknownName(
          'builder',
          word,
          all.map(({ name }) => name),
        )
      return found
    },
    async slave(word, usage) {
      if (word === undefined) throw wrongUsage(usage)
      const names = (await query.slaves()).map(({ name }) => name)
      const found = names.find((name) => name === word) ?? onlyOne(names.filter((name) => same(name, word)))
      if (found === undefined) throw unknownName('slave', word, names)
      return found
    },
    async running(builder) {
      const [build] = await query.builds({ builder, running: true, limit: 1 })
      if (build === undefined) throw nothingRuns(builder)
      return build
    },
  }
}

/** @throws CiError `BOLT_CHAT_NAME` with the nearest name. */
export function newsNamed<News extends string>(word: string, known: readonly News[]): News {
  const found = known.find((one) => same(one, word))
  if (found === undefined) throw unknownName('event', word, known)
  return found
}

export const isBad = (result: Result | null) => result === 'failure' || result === 'exception'

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
const onlyOne = <T>(found: readonly T[]) => (found.length === 1 ? found[0] : undefined)
