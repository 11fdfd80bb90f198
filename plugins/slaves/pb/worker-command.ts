import { itemsOf, textOf as knownText } from '../../../wire/pb/plain.ts'
import { Failure, Referenceable, type Value } from '../../../wire/pb/values.ts'
import { type StockOutcome, statData } from '../stock-outcome.ts'

/** What a worker calls while it runs a command of ours. */
export interface CommandObject {
  readonly object: Referenceable
  /** Resolves when the worker has done with it: why it failed as a whole, or `null`. */
  readonly completed: Promise<string | null>
}

/** `found` turns paths that the worker lists into those of the command. */
export function createCommandObject(outcome: StockOutcome, found: (path: string) => string): CommandObject {
  const completed = Promise.withResolvers<string | null>()
  const object = new Referenceable({
    /** A list of pairs: a dictionary, and a number that the answer gives back. It waits until what it brought is stored. */
    async update([list]) {
      let last = 0
      const stored: (Promise<void> | undefined)[] = []
      for (const pair of itemsOf(list)) {
        const [entries, number] = itemsOf(pair)
        if (typeof number === 'number') last = Math.max(last, number)
        if (entries instanceof Map) for (const [key, value] of entries) stored.push(take(String(key), value))
      }
      await Promise.all(stored)
      return last
    },
    complete([failure]) {
      completed.resolve(failure === null || failure === undefined ? null : failureText(failure))
      return null
    },
  })

  /** Takes it at once: `complete` may come before the text is stored. */
  function take(key: string, value: Value): Promise<void> | undefined {
    if (key === 'stdout' || key === 'stderr' || key === 'header') return outcome.text(key, textOf(value))
    if (key === 'log') {
      const [name, text] = itemsOf(value)
      return outcome.log(textOf(name), textOf(text))
    }
    if (key === 'rc' && typeof value === 'number') outcome.exit(value)
    else if (key === 'failure_reason') outcome.reason(textOf(value))
    else if (key === 'stat') outcome.found(statData(itemsOf(value).map(Number)))
    else if (key === 'files' || key === 'glob') outcome.found(itemsOf(value).map(textOf).map(found).sort())
    return undefined
  }

  return { object, completed: completed.promise }
}

const textOf = (value: Value | undefined) => knownText(value) ?? ''

const failureText = (value: Value) =>
  value instanceof Failure ? value.message || value.type : textOf(value) || 'The command failed in the worker.'
