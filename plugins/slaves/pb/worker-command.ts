import { Failure, Referenceable, Tuple, type Value } from '../../../wire/pb/values.ts'
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
      for (const pair of itemsOf(list)) {
        const [entries, number] = itemsOf(pair)
        if (typeof number === 'number') last = Math.max(last, number)
        if (entries instanceof Map) for (const [key, value] of entries) await take(String(key), value)
      }
      return last
    },
    complete([failure]) {
      completed.resolve(failure === null || failure === undefined ? null : failureText(failure))
      return null
    },
  })

  async function take(key: string, value: Value): Promise<void> {
    if (key === 'stdout' || key === 'stderr' || key === 'header') await outcome.text(key, textOf(value))
    else if (key === 'log') {
      const [name, text] = itemsOf(value)
      await outcome.log(textOf(name), textOf(text))
    } else if (key === 'rc' && typeof value === 'number') outcome.exit(value)
    else if (key === 'failure_reason') outcome.reason(textOf(value))
    else if (key === 'stat') outcome.found(statData(itemsOf(value).map(Number)))
    else if (key === 'files' || key === 'glob') outcome.found(itemsOf(value).map(textOf).map(found).sort())
  }

  return { object, completed: completed.promise }
}

const itemsOf = (value: Value | undefined): readonly Value[] =>
  value instanceof Tuple ? value.items : Array.isArray(value) ? value : []

function textOf(value: Value | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : typeof value === 'string' ? value : ''
}

const failureText = (value: Value) =>
  value instanceof Failure ? value.message || value.type : textOf(value) || 'The command failed in the worker.'
